-- Reserve live calls of one tenant out of those that all tenants of this server may have together.
--
-- KEYS  1 calls: hash, tenant -> "<calls> <expires at, in ms>"
-- ARGV  1 tenant  2 calls needed  3 more that would be useful  4 limit of all tenants  5 now in ms  6 time to live in ms
-- returns how many this tenant has now: those needed or what the others leave, and of the further ones no more
--         than a hundredth of what is left
local now = tonumber(ARGV[5])
local left = tonumber(ARGV[4])
local fields = redis.call("HGETALL", KEYS[1])
for i = 1, #fields, 2 do
  local calls, expires = string.match(fields[i + 1], "^(%d+) (%d+)$")
  if tonumber(expires) <= now then
    redis.call("HDEL", KEYS[1], fields[i])
  elseif fields[i] ~= ARGV[1] then
    left = left - tonumber(calls)
  end
end
left = math.max(0, left)
local mine = math.min(tonumber(ARGV[2]), left)
mine = mine + math.min(tonumber(ARGV[3]), math.floor((left - mine) / 100))
redis.call("HSET", KEYS[1], ARGV[1], string.format("%d %.0f", mine, now + tonumber(ARGV[6])))
return mine
