-- Commit a batch of steps: everything or nothing.
--
-- KEYS  1 fence  2 meta  3 inputs  4 interactions  5 agents  6 phones  7 links  8 timers  9 config  10 events
--       11 journal  12 ended_index  13 revisions  14 figures  15 campaigns  16 records  17 in_hand  18 hopper
--       19 hopper_counts, from 20 on: streams, lists and strings that ARGV names by their number in KEYS
-- ARGV  1 token  2 seq of the state built upon  3 new seq  4 now in ms  5 input position
--       6 limit of events  7 of commands per PBX  8 of traces per interaction  9 of ended ones kept, with their traces
--       10 time to live of traces, 11 of ended interactions, in ms  12 limit of kept revisions
--       13 customer calls that may live at once, empty: no limit
--       then sections, each headed by the number of ARGV that follow in it:
--         interactions, agents, phones, links, figures, campaigns, records: each twice, first field, value, ...; then fields to delete
--         in_hand: id, campaign, ... of changed records that do not wait; then ids of the others that changed
--         hopper: id, campaign, ... of changed records, with an empty campaign of what does not wait any more
--         timers: deadline, key, ...; then keys to clear
--         config: nothing or the value
--         commands: key number, entry, ...
--         events: JSON, ...
--         replies: key number, time to live in ms, JSON, ...
--         traces: key number, JSON, ...
--         ended: key number, id, JSON, ...
--         journal: seq, entry, ...
-- returns 1, or 0: the token is not the current one or the stored state is not at ARGV[2]; nothing changed
local call = redis.call
if call("GET", KEYS[1]) ~= ARGV[1] or (call("HGET", KEYS[2], "seq") or "0") ~= ARGV[2] then
  return 0
end

local at = 13

-- First and last index of the next section.
local function section()
  local first = at + 2
  at = first + tonumber(ARGV[at + 1]) - 1
  return first, at
end

-- The whole section to one command, in pieces that fit Lua's stack.
local function all(verb, key)
  local first, last = section()
  for from = first, last, 1000 do
    call(verb, key, unpack(ARGV, from, math.min(from + 999, last)))
  end
end

for index = 4, 7 do
  all("HSET", KEYS[index])
  all("HDEL", KEYS[index])
end
for index = 14, 17 do
  all("HSET", KEYS[index])
  all("HDEL", KEYS[index])
end
local id, of_hopper = section()
while id <= of_hopper do
  local campaign = ARGV[id + 1]
  local was = call("HGET", KEYS[18], ARGV[id]) or ""
  if was ~= campaign then
    if was ~= "" and call("HINCRBY", KEYS[19], was, -1) <= 0 then
      call("HDEL", KEYS[19], was)
    end
    if campaign == "" then
      call("HDEL", KEYS[18], ARGV[id])
    else
      call("HSET", KEYS[18], ARGV[id], campaign)
      call("HINCRBY", KEYS[19], campaign, 1)
    end
  end
  id = id + 2
end
all("ZADD", KEYS[8])
all("ZREM", KEYS[8])
local first, last = section()
if last >= first then
  call("SET", KEYS[9], ARGV[first])
  call("HSET", KEYS[2], "config_seq", ARGV[3])
  call("LPUSH", KEYS[13], ARGV[first])
  call("LTRIM", KEYS[13], 0, tonumber(ARGV[12]) - 1)
end

first, last = section()
for i = first, last, 2 do
  call("XADD", KEYS[tonumber(ARGV[i])], "MAXLEN", "~", ARGV[7], "*", "d", ARGV[i + 1])
end

first, last = section()
for i = first, last do
  call("XADD", KEYS[10], "MAXLEN", "~", ARGV[6], "*", "d", ARGV[i])
end

first, last = section()
for i = first, last, 3 do
  local key = KEYS[tonumber(ARGV[i])]
  call("RPUSH", key, ARGV[i + 2])
  call("PEXPIRE", key, ARGV[i + 1])
end

first, last = section()
for i = first, last, 2 do
  local key = KEYS[tonumber(ARGV[i])]
  call("RPUSH", key, ARGV[i + 1])
  call("LTRIM", key, -tonumber(ARGV[8]), -1)
  call("PEXPIRE", key, ARGV[10])
end

first, last = section()
for i = first, last, 3 do
  call("SET", KEYS[tonumber(ARGV[i])], ARGV[i + 2], "PX", ARGV[11])
  call("LPUSH", KEYS[12], ARGV[i + 1])
end
if last >= first then
  -- What falls off the index is forgotten altogether; its keys lie in the slot of the index.
  local prefix = string.match(KEYS[12], "^(.*)ended_index$")
  for _, id in ipairs(call("LRANGE", KEYS[12], ARGV[9], -1)) do
    call("UNLINK", prefix .. "ended:" .. id, prefix .. "trace:" .. id)
  end
  call("LTRIM", KEYS[12], 0, tonumber(ARGV[9]) - 1)
end

first, last = section()
for i = first, last, 2 do
  call("XADD", KEYS[11], ARGV[i] .. "-0", "d", ARGV[i + 1])
end

call("HSET", KEYS[2], "seq", ARGV[3], "now_ms", ARGV[4], "position", ARGV[5], "calls_granted", ARGV[13])
local ms, number = string.match(ARGV[5], "^(%d+)-(%d+)$")
call("XTRIM", KEYS[3], "MINID", string.format("%s-%.0f", ms, number + 1))
return 1
