-- Append an input once, however often this is repeated with the same id.
--
-- KEYS  1 inputs  2 sent:ID
-- ARGV  1 limit of the stream  2 time for which the id is remembered, in ms  3 entry
-- returns {1, position} (of the first time), or {0, present length}: full, nothing appended
local position = redis.call("GET", KEYS[2])
if position then
  return { 1, position }
end
local length = redis.call("XLEN", KEYS[1])
if length + 1 > tonumber(ARGV[1]) then
  return { 0, length }
end
position = redis.call("XADD", KEYS[1], "*", "d", ARGV[3])
redis.call("SET", KEYS[2], position, "PX", ARGV[2])
return { 1, position }
