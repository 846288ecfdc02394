-- KEYS: the counters. ARGV: id, then codes to choose from. Gives the counter's code, which is the
-- first of these that no other counter has.
local code = redis.call('HGET', KEYS[1], 'i' .. ARGV[1])
if code then
  return code
end
for place = 2, #ARGV do
  if redis.call('HSETNX', KEYS[1], 'c' .. ARGV[place], ARGV[1]) == 1 then
    redis.call('HSET', KEYS[1], 'i' .. ARGV[1], ARGV[place])
    return ARGV[place]
  end
end
return false
