-- Append inputs next to each other, or none.
--
-- KEYS  1 inputs
-- ARGV  1 limit of the stream, then one per input
-- returns {1, position of the last one} or {0, present length}: full, nothing appended
local length = redis.call("XLEN", KEYS[1])
if length + #ARGV - 1 > tonumber(ARGV[1]) then
  return { 0, length }
end
local position
for at = 2, #ARGV do
  position = redis.call("XADD", KEYS[1], "*", "d", ARGV[at])
end
return { 1, position }
