-- Count an event in a window that begins with its first one.
--
-- KEYS  1 counter
-- ARGV  1 length of the window in ms  2 how many to add (0: only look)
-- returns {count, ms until the window ends}
local count = 0
if ARGV[2] == "0" then
  count = tonumber(redis.call("GET", KEYS[1]) or "0")
else
  count = redis.call("INCRBY", KEYS[1], ARGV[2])
end
local left = redis.call("PTTL", KEYS[1])
if left < 0 and count > 0 then
  redis.call("PEXPIRE", KEYS[1], ARGV[1])
  left = tonumber(ARGV[1])
end
return { count, left }
