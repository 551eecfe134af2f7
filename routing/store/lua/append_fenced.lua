-- Append inputs next to each other, unless the fence has moved on since it was read.
--
-- KEYS  1 inputs  2 hash of fences
-- ARGV  1 limit of the stream  2 field of the fence  3 the fence as it was read, then one per input
-- returns {1, position of the last one}, {0, present length}: full, or {-1, present fence}: moved; then nothing is appended
local fence = redis.call("HGET", KEYS[2], ARGV[2]) or "0"
if fence ~= ARGV[3] then
  return { -1, fence }
end
local length = redis.call("XLEN", KEYS[1])
if length + #ARGV - 3 > tonumber(ARGV[1]) then
  return { 0, length }
end
local position
for at = 4, #ARGV do
  position = redis.call("XADD", KEYS[1], "*", "d", ARGV[at])
end
return { 1, position }
