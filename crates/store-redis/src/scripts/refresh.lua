-- ARGV: time to live. Puts off an end of which a quarter has gone. Gives the time and the end.
local st, damage = load()
if damage then
  return redis.error_reply(damage)
end
local present, ttl = now(), tonumber(ARGV[1])
local ends = call('PEXPIRETIME', M)
if st and ends > 0 and present + ttl - ends > ttl / 4 then
  ends = present + ttl
  for _, key in ipairs({ M, T, P, I }) do
    call('PEXPIREAT', key, text(ends))
  end
end
return { text(present), text(ends > 0 and ends or present + ttl) }
