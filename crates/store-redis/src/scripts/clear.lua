-- ARGV: member. It works on what is damaged too.
local sound, st = pcall(load)
local removed = sound and st and messages(st) or 0
call('UNLINK', M, T, P, I)
call('ZREM', X, ARGV[1])
call('ZREM', Y, ARGV[1])
return removed
