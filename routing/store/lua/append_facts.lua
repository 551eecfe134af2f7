-- Append the numbered facts of one producer exactly once, so that a connector may repeat what got no answer.
--
-- KEYS  1 inputs  2 producers
-- ARGV  1 limit of the stream  2 name  3 incarnation  4 number of the first fact, then one per fact
-- returns {1, highest number stored of this incarnation} (less than ARGV[4] - 1: earlier ones are missing, nothing
--         appended) or {0, present length}: full, nothing appended
local first, count = tonumber(ARGV[4]), #ARGV - 4
local stored = 0
local entry = redis.call("HGET", KEYS[2], ARGV[2])
if entry then
  local mark = string.find(entry, " ", 1, true)
  if string.sub(entry, mark + 1) == ARGV[3] then
    stored = tonumber(string.sub(entry, 1, mark - 1))
  end
end
if stored < first - 1 or stored >= first + count - 1 then
  return { 1, stored }
end
local length = redis.call("XLEN", KEYS[1])
if length + first + count - 1 - stored > tonumber(ARGV[1]) then
  return { 0, length }
end
for number = stored + 1, first + count - 1 do
  redis.call("XADD", KEYS[1], "*", "d", ARGV[5 + number - first])
end
stored = first + count - 1
redis.call("HSET", KEYS[2], ARGV[2], string.format("%d %s", stored, ARGV[3]))
return { 1, stored }
