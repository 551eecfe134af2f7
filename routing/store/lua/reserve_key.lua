-- Reserve an idempotency key for one attempt to carry out its request.
--
-- KEYS  1 idempotency:HASH  2 idempotency:HASH:lease
-- ARGV  1 fingerprint of the request  2 who attempts  3 lease in ms  4 time for which the key is remembered, in ms
-- returns {"other"}: it was used for another request; {"done", answer}; {"running", ms until a retry may take over};
--         {"taken"}: it is this attempt's
local fingerprint = redis.call("HGET", KEYS[1], "fingerprint")
if fingerprint and fingerprint ~= ARGV[1] then
  return { "other" }
end
local answer = redis.call("HGET", KEYS[1], "answer")
if answer then
  return { "done", answer }
end
if not redis.call("SET", KEYS[2], ARGV[2], "NX", "PX", ARGV[3]) then
  return { "running", redis.call("PTTL", KEYS[2]) }
end
redis.call("HSET", KEYS[1], "fingerprint", ARGV[1])
redis.call("PEXPIRE", KEYS[1], ARGV[4])
return { "taken" }
