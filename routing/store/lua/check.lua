-- Look whether what is stored fits together: a commit that fails half-way is not undone, so it must not fail there.
--
-- KEYS  1 meta  2 journal  3 hopper_counts, then others that a commit writes to
-- ARGV  the type of each
-- returns nothing, or the number of a key and what is wrong with it
local call = redis.call
local is_there = {}
for i, key in ipairs(KEYS) do
  local found = call("TYPE", key)["ok"]
  if found ~= "none" and found ~= ARGV[i] then
    return {i, "it is a " .. found .. ", not a " .. ARGV[i]}
  end
  is_there[i] = found ~= "none"
end
if is_there[2] then
  if not is_there[1] then
    return {1, "it is gone, and a journal is there"}
  end
  local about = call("XINFO", "STREAM", KEYS[2])
  for at = 1, #about, 2 do
    if about[at] == "last-generated-id" then
      local last = tonumber(string.match(about[at + 1], "^%d+"))
      local seq = tonumber(call("HGET", KEYS[1], "seq") or "0")
      if not seq or last > seq then
        return {2, string.format("it goes on to %.0f, the state ends before", last)}
      end
    end
  end
end
for _, count in ipairs(call("HVALS", KEYS[3])) do
  if not string.match(count, "^%-?%d+$") then
    return {3, "it holds something that is no number"}
  end
end
return {}
