import { STATUS_PREFIX, WAKE_CHANNEL } from "../keys.js";

/** ARGV: id. Returns the status now; a terminal one is left alone. */
export const CANCEL = `
local id = ARGV[1]
local status = field(id, 'status')
if status == 'queued' or status == 'paused' then set_status(id, 'canceled') end
if status == 'running' then set_status(id, 'canceling') end
return field(id, 'status')
`;

/** ARGV: id. A running run pauses at its next commit. Returns 'ok', 'gone' or 'conflict'. */
export const PAUSE = `
local id = ARGV[1]
local status = field(id, 'status')
if not status then return 'gone' end
if status == 'queued' then set_status(id, 'paused') end
if status == 'running' then redis.call('HSET', key(id), 'pauseRequested', 1) end
if is_terminal(status) or status == 'canceling' then return 'conflict' end
return 'ok'
`;

/** ARGV: id. Returns {'enqueue', epoch}, {'ok'}, {'gone'} or {'conflict'}. */
export const RESUME = `
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
export const REQUEUE = `
local id, epoch = ARGV[1], ARGV[2]
local status = field(id, 'status')
if field(id, 'epoch') ~= epoch or (status ~= 'queued' and status ~= 'running' and status ~= 'canceling') then return nil end
if heed(id) ~= 'continue' then return nil end
return tostring(redis.call('HINCRBY', key(id), 'epoch', 1))
`;

/** ARGV: id. KEYS: the indexes it stands in. Frees all of a run. Returns 'deleted', 'gone' or 'conflict'. */
export const DELETE = `
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
