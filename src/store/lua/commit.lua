-- The one commit: metrics, checkpoint, progress and wake-up, all or nothing.
-- KEYS: none
-- ARGV: id, fence, from, count, columns (count x f64 lr, count x f32 loss, then count x f32 for each replica), checksum (of the
--   rates, which columns then do not have: they follow from the spec), evals (JSON), loop (JSON), engine (bytes), rate (steps a
--   second), replicas (0: none), keep (the checkpoint outlives the next one), overview (JSON: what lists show of all steps),
--   drop (step of a kept checkpoint that this one is kept in place of)
-- Returns 'continue', 'paused' or 'canceled' (the attempt must end), 'stale' (it lost the run),
-- 'behind' (what came before has been lost), or 'gap'.
local committed = number(id, 'committed')
-- A commit that was applied, whose reply was lost, and which is sent again.
if field(id, 'fence') == fence and from + count == committed and from < committed then
  local status = field(id, 'status')
  if is_held(status) then return 'continue' end
  if status == 'paused' or status == 'canceled' then return status end
end
if not owns(id, fence) then return 'stale' end
-- A Redis that took over has not got what its predecessor had acknowledged.
if from > committed then return 'behind' end
if from ~= committed then return 'gap' end
local to = from + count
local entry = checksum and {'l', columns, 'c', string.format('%.0f', checksum)} or {'m', columns}
if evals then table.insert(entry, 'e'); table.insert(entry, evals) end
if replicas > 0 then table.insert(entry, 'r'); table.insert(entry, replicas) end
redis.call('XADD', log_key(id), string.format('%.0f-0', to), unpack(entry))
redis.call('HSET', checkpoint_key(id), 'loop', loop, 'engine', engine)
if drop then
  redis.call('DEL', kept_checkpoint_key(id, drop))
  redis.call('ZREM', kept_key(id), string.format('%.0f', drop))
end
if keep then
  redis.call('HSET', kept_checkpoint_key(id, to), 'loop', loop, 'engine', engine)
  redis.call('ZADD', kept_key(id), to, string.format('%.0f', to))
end
redis.call('HSET', key(id), 'committed', to, 'crashes', 0, 'stepsPerSecond', rate, 'overview', overview, 'committedAt', now_ms())
redis.call('HINCRBY', TOTALS_KEY, 'commits', 1)
redis.call('HINCRBY', TOTALS_KEY, 'steps', count)
local outcome = apply_requests(id)
if outcome == 'continue' then redis.call('PUBLISH', WAKE_CHANNEL, id) end
return outcome
