-- KEYS: meta, payloads. ARGV: newest, oldest, most bytes. Payloads at both ends of the list, or
-- nothing where their number times the largest is more bytes than that.
local admin = redis.call('HGET', KEYS[1], 'a')
local largest = admin and tonumber(string.match(admin, '^%d+ %d+ %d+ %d+ (%d+)')) or 0
local newest, oldest = tonumber(ARGV[1]), tonumber(ARGV[2])
local length = redis.call('LLEN', KEYS[2])
newest, oldest = math.min(newest, length), math.min(oldest, length)
if largest == 0 or (newest + oldest) * largest > tonumber(ARGV[3]) then
  return false
end
local ends = { {}, {} }
if newest > 0 then
  ends[1] = redis.call('LRANGE', KEYS[2], -newest, -1)
end
if oldest > 0 then
  ends[2] = redis.call('LRANGE', KEYS[2], 0, oldest - 1)
end
return ends
