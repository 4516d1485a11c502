-- For the scripts that find a record as an attempt has left it.

-- A running record without a release is the trace of a crash: of the worker, or of Redis, and that is not the run's fault.
-- Counts it; true where that makes too many in a row without progress, which fails the record.
local function failed_by_crash(id, limit)
  local server = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
  local same_server = field(id, 'server') == server
  redis.call('HSET', key(id), 'server', server)
  if field(id, 'status') ~= 'running' or not same_server then return false end
  redis.call('HINCRBY', TOTALS_KEY, 'crashes', 1)
  if redis.call('HINCRBY', key(id), 'crashes', 1) < limit then return false end
  set_status(id, 'crash', 'failed', 'the worker died ' .. limit .. ' times in a row without progress')
  return true
end
