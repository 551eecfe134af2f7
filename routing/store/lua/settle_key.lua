-- End an attempt under an idempotency key: with an answer that stays, or without one, so that a retry may go on.
--
-- KEYS  1 idempotency:HASH  2 idempotency:HASH:lease
-- ARGV  1 who attempted  2 time for which the key is remembered, in ms  3 answer, empty for none
-- The first answer stays, also where two attempts overlapped because one outlived its lease.
if ARGV[3] ~= "" and redis.call("EXISTS", KEYS[1]) == 1 then
  redis.call("HSETNX", KEYS[1], "answer", ARGV[3])
  redis.call("PEXPIRE", KEYS[1], ARGV[2])
end
if redis.call("GET", KEYS[2]) == ARGV[1] then
  redis.call("DEL", KEYS[2])
end
return 1
