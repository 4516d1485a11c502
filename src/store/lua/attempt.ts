import { TOTALS_KEY, WAKE_CHANNEL } from "../keys.js";

/**
 * Takes a run for one attempt. ARGV: id, token (one per attempt, so that a re-sent claim is the same claim), crash limit,
 * the epoch of the job: a job of an older one is not the run's any more.
 * Returns {'claimed', fence} or {why not}.
 */
export const CLAIM = `
local id, token, limit, epoch = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local status = field(id, 'status')
if not status then return {'gone'} end
if is_terminal(status) or status == 'paused' then return {status} end
if field(id, 'claim') == token then return {'claimed', field(id, 'fence')} end
if field(id, 'epoch') ~= epoch then return {'superseded'} end
if field(id, 'waitsFor') then return {'waiting'} end
local told = heed(id)
if told ~= 'continue' then return {told} end
-- A running record without a release is the trace of a crash: of the worker, or of Redis, and that is not the run's fault.
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local same_server = field(id, 'server') == server
redis.call('HSET', key(id), 'server', server)
if status == 'running' and same_server and redis.call('HINCRBY', key(id), 'crashes', 1) >= limit then
  set_status(id, 'failed', 'the worker died ' .. limit .. ' times in a row without progress')
  return {'failed'}
end
local fence = redis.call('HINCRBY', key(id), 'fence', 1)
redis.call('HINCRBY', key(id), 'attempts', 1)
redis.call('HSET', key(id), 'claim', token)
redis.call('HSETNX', key(id), 'startedAt', now_ms())
if status ~= 'running' then set_status(id, 'running') end
return {'claimed', tostring(fence)}
`;

/**
 * The one commit: metrics, checkpoint, progress and wake-up, all or nothing.
 * ARGV: id, fence, from, count, metrics (count x f64 lr, count x f32 loss), evals (JSON or ''), loop state (JSON),
 * engine state (bytes), steps/s, replicas (their losses follow in the metrics, count x f32 each; 0: none), 1 where the
 * checkpoint is to be kept.
 * Returns 'continue', 'paused', 'canceled' (the attempt must end), 'stale' (it lost the run), or 'gap'.
 */
export const COMMIT = `
local id, fence, from, count = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local committed = number(id, 'committed')
-- A commit that was applied, whose reply was lost, and which is sent again.
if field(id, 'fence') == fence and from + count == committed and from < committed then
  local status = field(id, 'status')
  if status == 'running' or status == 'canceling' then return 'continue' end
  if status == 'paused' or status == 'canceled' then return status end
end
if not owns(id, fence) then return 'stale' end
if from ~= committed then return 'gap' end
local to = from + count
local entry = {'m', ARGV[5]}
if ARGV[6] ~= '' then table.insert(entry, 'e'); table.insert(entry, ARGV[6]) end
if ARGV[10] ~= '0' then table.insert(entry, 'r'); table.insert(entry, ARGV[10]) end
redis.call('XADD', key(id) .. ':log', string.format('%.0f-0', to), unpack(entry))
redis.call('HSET', key(id) .. ':checkpoint', 'loop', ARGV[7], 'engine', ARGV[8])
if ARGV[11] == '1' then
  local step = string.format('%.0f', to)
  redis.call('HSET', key(id) .. ':checkpoint:' .. step, 'loop', ARGV[7], 'engine', ARGV[8])
  redis.call('ZADD', key(id) .. ':kept', to, step)
end
redis.call('HSET', key(id), 'committed', to, 'crashes', 0, 'stepsPerSecond', ARGV[9], 'committedAt', now_ms())
redis.call('HINCRBY', '${TOTALS_KEY}', 'commits', 1)
redis.call('HINCRBY', '${TOTALS_KEY}', 'steps', count)
local told = heed(id)
if told == 'continue' then redis.call('PUBLISH', '${WAKE_CHANNEL}', id) end
return told
`;

/**
 * Asked by an attempt whose commits are refused for want of memory, so that it can still be told to stop. ARGV: id, fence.
 * Returns as COMMIT does; what was not committed is trained again after a resume.
 */
export const ATTEND = `
local id, fence = ARGV[1], ARGV[2]
if not owns(id, fence) then return 'stale' end
return heed(id)
`;

/**
 * The commit of a search: its state, and a progress entry in its log at position <tasks done>-0, which grows each time.
 * ARGV: id, fence, tasks done, state (JSON), progress (JSON). Returns 'continue', 'canceled' or 'stale'.
 */
export const ADVANCE = `
local id, fence, done = ARGV[1], ARGV[2], tonumber(ARGV[3])
if not owns(id, fence) then return 'stale' end
if done > number(id, 'committed') then
  redis.call('HSET', key(id), 'state', ARGV[4], 'committed', done, 'crashes', 0)
  redis.call('XADD', key(id) .. ':log', string.format('%.0f-0', done), 'p', ARGV[5])
end
local told = heed(id)
if told == 'continue' then redis.call('PUBLISH', '${WAKE_CHANNEL}', id) end
return told
`;

/** Ends a run. ARGV: id, fence, terminal status, reason or '', result (JSON) or ''. Returns the status now, or 'stale'. */
export const FINISH = `
local id, fence, status, reason, result = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local current = field(id, 'status')
if field(id, 'fence') == fence and is_terminal(current) then return current end
if not owns(id, fence) then return 'stale' end
if current == 'canceling' then status = 'canceled' end
if result ~= '' then redis.call('HSET', key(id), 'result', result) end
set_status(id, status, reason ~= '' and reason or nil)
return status
`;

/** Hands a run back unfinished, at shutdown. ARGV: id, fence. Returns the status now, or 'stale'. */
export const RELEASE = `
local id, fence = ARGV[1], ARGV[2]
if field(id, 'fence') == fence and field(id, 'status') == 'queued' then return 'queued' end
if not owns(id, fence) then return 'stale' end
local told = heed(id)
if told ~= 'continue' then return told end
set_status(id, 'queued')
return 'queued'
`;

/** ARGV: id, fence, field, value: a fact about the attempt, written once known. */
export const NOTE = `
local id, fence = ARGV[1], ARGV[2]
if not owns(id, fence) then return 'stale' end
redis.call('HSET', key(id), ARGV[3], ARGV[4])
return 'ok'
`;
