-- Prolong the lease; one that has run out is taken back as long as nobody else took it.
--
-- KEYS  1 lease  2 fence
-- ARGV  1 owner  2 token  3 time to live in ms
-- returns 1, or 0: the token is not the current one, nothing changed
if redis.call("GET", KEYS[2]) ~= ARGV[2] then
  return 0
end
redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[3])
return 1
