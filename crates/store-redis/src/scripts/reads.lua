-- KEYS: whatever the commands touch. ARGV: for each command the number of its words, and these.
local answers, at = {}, 1
while at <= #ARGV do
  local count = tonumber(ARGV[at])
  answers[#answers + 1] = redis.pcall(unpack(ARGV, at + 1, at + count))
  at = at + count + 1
end
return answers
