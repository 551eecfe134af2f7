-- Copy the committed state into the older of two slots, and trim the journal to what the older snapshot needs.
--
-- KEYS  1 fence  2 meta  3 journal  4 snapshots (hash: slot -> seq)
--       then n names of state, n names in slot a, n names in slot b
-- ARGV  1 token  2 seq which the committed state must have
-- returns 1, 0: fenced or another state, nothing changed
if redis.call("GET", KEYS[1]) ~= ARGV[1] or (redis.call("HGET", KEYS[2], "seq") or "0") ~= ARGV[2] then
  return 0
end
local a = tonumber(redis.call("HGET", KEYS[4], "a") or "-1") or -1
local b = tonumber(redis.call("HGET", KEYS[4], "b") or "-1") or -1
if math.max(a, b) == tonumber(ARGV[2]) then
  return 1
end
local n = (#KEYS - 4) / 3
local slot, shift = "a", n
if b < a then
  slot, shift = "b", 2 * n
end
for at = 5, 4 + n do
  redis.call("UNLINK", KEYS[at + shift])
  redis.call("COPY", KEYS[at], KEYS[at + shift])
end
redis.call("HSET", KEYS[4], slot, ARGV[2])
local oldest = math.max(a, b)
if oldest < 0 then
  oldest = tonumber(ARGV[2])
end
redis.call("XTRIM", KEYS[3], "MINID", string.format("%d-0", oldest + 1))
return 1
