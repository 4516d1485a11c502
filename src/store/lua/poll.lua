-- Asked by an attempt that cannot commit, since it evaluates or memory is short, so that it can still be told to stop; what
-- was not committed is trained again after a resume.
-- KEYS: none
-- ARGV: id, fence
-- Returns as commit.lua does, but never 'gap'.
if not owns(id, fence) then return 'stale' end
return apply_requests(id)
