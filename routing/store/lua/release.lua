-- Give the lease back and make its token worthless.
--
-- KEYS  1 lease  2 fence
-- ARGV  1 token
-- returns 1, or 0: the token was not the current one, nothing changed
if redis.call("GET", KEYS[2]) ~= ARGV[1] then
  return 0
end
redis.call("DEL", KEYS[1])
redis.call("INCR", KEYS[2])
return 1
