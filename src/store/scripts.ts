import {
  DATASET_BYTES_KEY,
  DATASET_TEXT_PREFIX,
  DATASET_USERS_PREFIX,
  DATASETS_KEY,
  RUN_PREFIX,
  STATUS_PREFIX,
  TOTALS_KEY,
  WAKE_CHANNEL,
} from "./keys.js";

/**
 * The Lua scripts: every change of a run is one of them, so a crash leaves a run before or after it, never between.
 *
 * The run's log is a stream whose ids say what they hold:
 *   <to>-0     a chunk of metrics that ends before step <to>;
 *   <step>-<n> (n > 0) a status change made when <step> steps were committed; n counts the run's status changes.
 * So a log position is a step number, a re-sent XADD is refused by Redis, and the terminal status is the last entry.
 */
const PRELUDE = `
local function key(id) return '${RUN_PREFIX}' .. id end
local function field(id, name) return redis.call('HGET', key(id), name) end
local function number(id, name) return tonumber(field(id, name) or '0') end

local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function is_terminal(status)
  return status == 'succeeded' or status == 'diverged' or status == 'failed' or status == 'canceled'
end

-- Moves a run to a status, in its record, in the index, in its log, and wakes its readers.
local function set_status(id, status, reason)
  local old = field(id, 'status')
  if old then redis.call('ZREM', '${STATUS_PREFIX}' .. old, id) end
  redis.call('ZADD', '${STATUS_PREFIX}' .. status, 0, id)
  redis.call('HSET', key(id), 'status', status)
  if reason then redis.call('HSET', key(id), 'reason', reason) end
  local at = now_ms()
  if is_terminal(status) then
    redis.call('HSET', key(id), 'finishedAt', at)
    redis.call('HDEL', key(id), 'pauseRequested')
  end
  local count = redis.call('HINCRBY', key(id), 'statusChanges', 1)
  local entry = { status = status, at = at, reason = reason }
  redis.call('XADD', key(id) .. ':log', string.format('%.0f-%.0f', number(id, 'committed'), count), 's', cjson.encode(entry))
  redis.call('PUBLISH', '${WAKE_CHANNEL}', id)
end

-- Does this attempt still own the run? Counts what it refuses.
local function owns(id, fence)
  local status = field(id, 'status')
  if field(id, 'fence') == fence and (status == 'running' or status == 'canceling') then return true end
  redis.call('HINCRBY', '${TOTALS_KEY}', 'refused', 1)
  return false
end

-- Does what was asked of a run while an attempt held it; a cancel goes before a pause. Returns 'canceled', 'paused', or
-- 'continue' when nothing was.
local function heed(id)
  if field(id, 'status') == 'canceling' then
    set_status(id, 'canceled')
    return 'canceled'
  end
  if redis.call('HDEL', key(id), 'pauseRequested') == 1 then
    set_status(id, 'paused')
    return 'paused'
  end
  return 'continue'
end
`;

/** The engine's state after a step of a run, kept or its latest; nil when there is none. */
const CHECKPOINT_AT = `
local function checkpoint_at(id, step)
  local kept = redis.call('HGET', key(id) .. ':checkpoint:' .. step, 'engine')
  if kept then return kept end
  local loop = redis.call('HGET', key(id) .. ':checkpoint', 'loop')
  if not loop or cjson.decode(loop).step ~= tonumber(step) then return nil end
  return redis.call('HGET', key(id) .. ':checkpoint', 'engine')
end
`;

/**
 * ARGV: id, spec, deadline (ms of Redis time; later than that nothing is created; 0: none), most waiting runs, the search
 * whose answer it waits for or '', the name of its dataset and the digest that it must have ('': any), its trace id, then of a
 * fork the run, step and loop state (JSON) that it begins with. KEYS: the indexes it stands in. Returns the time of creation, 'late',
 * 'full', 'no-dataset' or 'no-checkpoint'.
 */
const CREATE = `${CHECKPOINT_AT}
local id, spec, deadline = ARGV[1], ARGV[2], tonumber(ARGV[3])
local at = now_ms()
if deadline > 0 and at > deadline then return 'late' end
if redis.call('EXISTS', key(id)) == 1 then return field(id, 'createdAt') end
if redis.call('ZCARD', '${STATUS_PREFIX}queued') >= tonumber(ARGV[4]) then return 'full' end
if ARGV[7] ~= '' then
  local entry = redis.call('HGET', '${DATASETS_KEY}', ARGV[6])
  if not entry or cjson.decode(entry).digest ~= ARGV[7] then return 'no-dataset' end
end
local committed = 0
if ARGV[9] then
  local engine = checkpoint_at(ARGV[9], ARGV[10])
  if not engine then return 'no-checkpoint' end
  committed = ARGV[10]
  redis.call('HSET', key(id) .. ':checkpoint', 'loop', ARGV[11], 'engine', engine)
  redis.call('HSET', key(id), 'engineBuild', field(ARGV[9], 'engineBuild'))
end
redis.call('HSET', key(id), 'id', id, 'spec', spec, 'createdAt', at, 'committed', committed, 'fence', 0, 'epoch', 0, 'crashes', 0, 'attempts', 0, 'traceId', ARGV[8])
if ARGV[5] ~= '' then redis.call('HSET', key(id), 'waitsFor', ARGV[5]) end
for _, index in ipairs(KEYS) do redis.call('ZADD', index, 0, id) end
set_status(id, 'queued')
return tostring(at)
`;

/**
 * Takes a run for one attempt. ARGV: id, token (one per attempt, so that a re-sent claim is the same claim), crash limit,
 * the epoch of the job: a job of an older one is not the run's any more.
 * Returns {'claimed', fence} or {why not}.
 */
const CLAIM = `
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
const COMMIT = `
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
const ATTEND = `
local id, fence = ARGV[1], ARGV[2]
if not owns(id, fence) then return 'stale' end
return heed(id)
`;

/**
 * The commit of a search: its state, and a progress entry in its log at position <tasks done>-0, which grows each time.
 * ARGV: id, fence, tasks done, state (JSON), progress (JSON). Returns 'continue', 'canceled' or 'stale'.
 */
const ADVANCE = `
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

/** A run that has waited for its rate gets its final spec. ARGV: id, spec, note (JSON). Returns its epoch, or nil when moot. */
const SETTLE = `
local id = ARGV[1]
local status = field(id, 'status')
if (status ~= 'queued' and status ~= 'paused') or not field(id, 'waitsFor') then return nil end
redis.call('HDEL', key(id), 'waitsFor')
redis.call('HSET', key(id), 'spec', ARGV[2], 'autoLr', ARGV[3])
if status == 'paused' then return nil end
return field(id, 'epoch')
`;

/** A run that has waited for a rate that never came. ARGV: id, status, reason. */
const DISAPPOINT = `
local id = ARGV[1]
if field(id, 'status') == 'queued' and field(id, 'waitsFor') then
  redis.call('HDEL', key(id), 'waitsFor')
  set_status(id, ARGV[2], ARGV[3])
end
return 'ok'
`;

/** Ends a run. ARGV: id, fence, terminal status, reason or '', result (JSON) or ''. Returns the status now, or 'stale'. */
const FINISH = `
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
const RELEASE = `
local id, fence = ARGV[1], ARGV[2]
if field(id, 'fence') == fence and field(id, 'status') == 'queued' then return 'queued' end
if not owns(id, fence) then return 'stale' end
local told = heed(id)
if told ~= 'continue' then return told end
set_status(id, 'queued')
return 'queued'
`;

/** ARGV: id, fence, field, value: a fact about the attempt, written once known. */
const NOTE = `
local id, fence = ARGV[1], ARGV[2]
if not owns(id, fence) then return 'stale' end
redis.call('HSET', key(id), ARGV[3], ARGV[4])
return 'ok'
`;

/** ARGV: id. Returns the status now; a terminal one is left alone. */
const CANCEL = `
local id = ARGV[1]
local status = field(id, 'status')
if status == 'queued' or status == 'paused' then set_status(id, 'canceled') end
if status == 'running' then set_status(id, 'canceling') end
return field(id, 'status')
`;

/** ARGV: id. A running run pauses at its next commit. Returns 'ok', 'gone' or 'conflict'. */
const PAUSE = `
local id = ARGV[1]
local status = field(id, 'status')
if not status then return 'gone' end
if status == 'queued' then set_status(id, 'paused') end
if status == 'running' then redis.call('HSET', key(id), 'pauseRequested', 1) end
if is_terminal(status) or status == 'canceling' then return 'conflict' end
return 'ok'
`;

/** ARGV: id. Returns {'enqueue', epoch}, {'ok'}, {'gone'} or {'conflict'}. */
const RESUME = `
local id = ARGV[1]
local status = field(id, 'status')
if not status then return {'gone'} end
if is_terminal(status) or status == 'canceling' then return {'conflict'} end
redis.call('HDEL', key(id), 'pauseRequested')
if status ~= 'paused' then return {'ok'} end
local epoch = redis.call('HINCRBY', key(id), 'epoch', 1)
set_status(id, 'queued')
if field(id, 'waitsFor') then return {'ok'} end
return {'enqueue', tostring(epoch)}
`;

/** Gives an ownerless run a new job. ARGV: id, the epoch whose job is gone. Returns the new epoch, or nil when moot. */
const REQUEUE = `
local id, epoch = ARGV[1], ARGV[2]
local status = field(id, 'status')
if field(id, 'epoch') ~= epoch or (status ~= 'queued' and status ~= 'running' and status ~= 'canceling') then return nil end
if heed(id) ~= 'continue' then return nil end
return tostring(redis.call('HINCRBY', key(id), 'epoch', 1))
`;

/** ARGV: id. KEYS: the indexes it stands in. Frees all of a run. Returns 'deleted', 'gone' or 'conflict'. */
const DELETE = `
local id = ARGV[1]
local status = field(id, 'status')
if not status then return 'gone' end
if status == 'running' or status == 'canceling' then return 'conflict' end
redis.call('ZREM', '${STATUS_PREFIX}' .. status, id)
for _, index in ipairs(KEYS) do redis.call('ZREM', index, id) end
for _, step in ipairs(redis.call('ZRANGE', key(id) .. ':kept', 0, -1)) do
  redis.call('UNLINK', key(id) .. ':checkpoint:' .. step)
end
redis.call('UNLINK', key(id), key(id) .. ':log', key(id) .. ':checkpoint', key(id) .. ':kept')
redis.call('PUBLISH', '${WAKE_CHANNEL}', id)
return 'deleted'
`;

/** A name less points to a text. */
const DATASET_PRELUDE = `
local function release(digest)
  local text = '${DATASET_TEXT_PREFIX}' .. digest
  if redis.call('HINCRBY', text, 'names', -1) > 0 then return end
  redis.call('DECRBY', '${DATASET_BYTES_KEY}', redis.call('HSTRLEN', text, 'text'))
  redis.call('UNLINK', text)
end

local function entry_of(name)
  local entry = redis.call('HGET', '${DATASETS_KEY}', name)
  return entry and cjson.decode(entry)
end

local function is_used(name)
  return redis.call('EXISTS', '${DATASET_USERS_PREFIX}' .. name) == 1
end
`;

/**
 * Points a name to a text. ARGV: name, digest, text, entry (JSON, with the digest), most names, most bytes of all texts.
 * Returns 'created', 'same' (it points there already), 'replaced', 'used' (runs pin another text by this name) or 'full'.
 */
const PUT_DATASET = `
local name, digest, bytes = ARGV[1], ARGV[2], string.len(ARGV[3])
local text = '${DATASET_TEXT_PREFIX}' .. digest
local old = entry_of(name)
if old and old.digest == digest then return 'same' end
if old and is_used(name) then return 'used' end
if not old and redis.call('HLEN', '${DATASETS_KEY}') >= tonumber(ARGV[5]) then return 'full' end
if redis.call('EXISTS', text) == 0 then
  if tonumber(redis.call('GET', '${DATASET_BYTES_KEY}') or '0') + bytes > tonumber(ARGV[6]) then return 'full' end
  redis.call('HSET', text, 'text', ARGV[3])
  redis.call('INCRBY', '${DATASET_BYTES_KEY}', bytes)
end
redis.call('HINCRBY', text, 'names', 1)
redis.call('HSET', '${DATASETS_KEY}', name, ARGV[4])
if not old then return 'created' end
release(old.digest)
return 'replaced'
`;

/** ARGV: name. Returns 'deleted', 'gone' or 'used'. */
const DELETE_DATASET = `
local old = entry_of(ARGV[1])
if not old then return 'gone' end
if is_used(ARGV[1]) then return 'used' end
redis.call('HDEL', '${DATASETS_KEY}', ARGV[1])
release(old.digest)
return 'deleted'
`;

const withPrelude = (lua: string) => PRELUDE + lua;
/** For what ends, stops or hands back a run: a few bytes, which a full Redis must still take. */
const evenWhenFull = (lua: string) => `#!lua flags=allow-oom\n${PRELUDE}${lua}`;

export const SCRIPTS = {
  annealCreate: { lua: withPrelude(CREATE) },
  annealClaim: { lua: evenWhenFull(CLAIM), numberOfKeys: 0 },
  annealCommit: { lua: withPrelude(COMMIT), numberOfKeys: 0 },
  annealAttend: { lua: evenWhenFull(ATTEND), numberOfKeys: 0 },
  annealAdvance: { lua: withPrelude(ADVANCE), numberOfKeys: 0 },
  annealSettle: { lua: withPrelude(SETTLE), numberOfKeys: 0 },
  annealDisappoint: { lua: evenWhenFull(DISAPPOINT), numberOfKeys: 0 },
  annealFinish: { lua: evenWhenFull(FINISH), numberOfKeys: 0 },
  annealRelease: { lua: evenWhenFull(RELEASE), numberOfKeys: 0 },
  annealNote: { lua: evenWhenFull(NOTE), numberOfKeys: 0 },
  annealCancel: { lua: evenWhenFull(CANCEL), numberOfKeys: 0 },
  annealPause: { lua: evenWhenFull(PAUSE), numberOfKeys: 0 },
  annealResume: { lua: evenWhenFull(RESUME), numberOfKeys: 0 },
  annealRequeue: { lua: withPrelude(REQUEUE), numberOfKeys: 0 },
  annealDelete: { lua: evenWhenFull(DELETE) },
  annealPutDataset: { lua: withPrelude(DATASET_PRELUDE + PUT_DATASET), numberOfKeys: 0 },
  annealDeleteDataset: { lua: evenWhenFull(DATASET_PRELUDE + DELETE_DATASET), numberOfKeys: 0 },
} as const;
