-- ARGV: member, end in milliseconds or nothing.
local st, damage = load()
if damage then
  return redis.error_reply(damage)
end
if not st then
  return 0
end
for _, key in ipairs({ M, T, P, I }) do
  if ARGV[2] == '' then
    call('PERSIST', key)
  else
    call('PEXPIREAT', key, ARGV[2])
  end
end
if call('EXISTS', M) == 0 then
  call('ZREM', X, ARGV[1])
  call('ZREM', Y, ARGV[1])
end
return 1
