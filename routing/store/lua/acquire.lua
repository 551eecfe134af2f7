-- Take the lease.
--
-- KEYS  1 lease  2 fence
-- ARGV  1 owner  2 time to live in ms
-- returns a fencing token higher than any before, or 0: somebody else holds the lease
local owner = redis.call("GET", KEYS[1])
if owner and owner ~= ARGV[1] then
  return 0
end
local token = redis.call("INCR", KEYS[2])
redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[2])
return token
