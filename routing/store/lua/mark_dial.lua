-- Who may dial: the first to ask.
--
-- KEYS  1 dial:ID
-- ARGV  1 starter  2 time to live in ms
-- returns 1: this starter may dial, or 0: another one was first
if redis.call("SET", KEYS[1], ARGV[1], "NX", "PX", ARGV[2]) then
  return 1
end
return redis.call("GET", KEYS[1]) == ARGV[1] and 1 or 0
