import { DATASETS_KEY, STATUS_PREFIX } from "../keys.js";

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
export const CREATE = `${CHECKPOINT_AT}
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
redis.call('HSET', key(id), 'id', id, 'spec', spec, 'createdAt', at, 'committed', committed, 'first', committed, 'fence', 0, 'epoch', 0, 'crashes', 0, 'attempts', 0, 'traceId', ARGV[8])
if ARGV[5] ~= '' then redis.call('HSET', key(id), 'waitsFor', ARGV[5]) end
for _, index in ipairs(KEYS) do redis.call('ZADD', index, 0, id) end
set_status(id, 'queued')
return tostring(at)
`;

/** A run that has waited for its rate gets its final spec. ARGV: id, spec, note (JSON). Returns its epoch, or nil when moot. */
export const SETTLE = `
local id = ARGV[1]
local status = field(id, 'status')
if (status ~= 'queued' and status ~= 'paused') or not field(id, 'waitsFor') then return nil end
redis.call('HDEL', key(id), 'waitsFor')
redis.call('HSET', key(id), 'spec', ARGV[2], 'autoLr', ARGV[3])
if status == 'paused' then return nil end
return field(id, 'epoch')
`;

/** A run that has waited for a rate that never came. ARGV: id, status, reason. */
export const DISAPPOINT = `
local id = ARGV[1]
if field(id, 'status') == 'queued' and field(id, 'waitsFor') then
  redis.call('HDEL', key(id), 'waitsFor')
  set_status(id, ARGV[2], ARGV[3])
end
return 'ok'
`;
