# frozen_string_literal: true

# Goes through the whole API of beaneater against the server on the given port of 127.0.0.1. A mismatch ends the program
# with exit code 1 and a backtrace.

require 'beaneater'

$stdout.sync = true
ADDRESS = "127.0.0.1:#{ARGV.fetch(0)}"

def expect(expected, actual)
  raise "expected #{expected.inspect}, got #{actual.inspect}" unless expected == actual
end

# The stats must have these values, and may have others.
def expect_values(expected, stats)
  expect(expected, expected.to_h { |key, _| [key, stats[key]] })
end

# The block must raise an error of this class.
def expect_error(kind)
  result = yield
rescue kind
  nil
else
  raise "expected #{kind}, got #{result.inspect}"
end

# The block must take that many seconds.
def expect_at_least(seconds)
  start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  yield
  taken = Process.clock_gettime(Process::CLOCK_MONOTONIC) - start
  raise "expected at least #{seconds} s, got #{taken} s" if taken < seconds
end

def step(name)
  puts name
  client = Beaneater.new(ADDRESS)
  yield client
ensure
  client&.close
end

step 'put, reserve and delete' do |client|
  tube = client.tubes['default']
  put = tube.put("h\u00e9llo\r\nthere")
  expect('INSERTED', put[:status])
  job = tube.reserve
  expect([put[:id], "h\u00e9llo\r\nthere".b], [job.id, job.body.b])
  expect('DELETED', job.delete[:status])
  expect(false, job.exists?)
  expect_error(Beaneater::NotFoundError) { job.delete }
  expect_error(Beaneater::TimedOutError) { tube.reserve(0) }
  expect_error(Beaneater::JobTooBigError) { tube.put('x' * 65_536) }
  expect_error(Beaneater::InvalidTubeName) { client.tubes.use('-') }
  expect_error(Beaneater::InvalidTubeName) { client.tubes.watch('x' * 201) }
end

step 'bodies of any bytes' do |client|
  tube = client.tubes['bytes']
  largest = ((0..255).to_a.pack('C*') * 256).byteslice(0, 65_535)
  [largest, '', "\r\n"].each do |body|
    tube.put(body)
    job = tube.reserve(5)
    expect(body.b, job.body.b)
    expect('DELETED', job.delete[:status])
  end
end

step 'the order of priorities' do |client|
  tube = client.tubes['order']
  { 'c' => 30, 'a' => 10, 'b' => 20, 'd' => 30 }.each { |body, priority| tube.put(body, pri: priority) }
  expect('a', tube.peek(:ready).body)
  %w[a b c d].each { |body| tube.reserve(5) { |job| expect([body, 'DELETED'], [job.body, job.delete[:status]]) } }
end

step 'release, bury, kick and touch' do |client|
  tube = client.tubes['states']
  id = tube.put('x', pri: 9, ttr: 1000)[:id]
  job = tube.reserve
  expect('TOUCHED', job.touch[:status])
  expect('RELEASED', job.release(pri: 7, delay: 1000)[:status])
  expect(id, tube.peek(:delayed).id)
  expect_values({ 'state' => 'delayed', 'pri' => 7, 'delay' => 1000, 'releases' => 1 }, job.stats)
  expect({ status: 'KICKED', id: '1' }, tube.kick(10))
  job = tube.reserve(5)
  expect('BURIED', job.bury(pri: 5)[:status])
  expect(id, tube.peek(:buried).id)
  expect_error(Beaneater::JobNotReserved) { job.touch }
  expect('KICKED', job.kick[:status])
  expect_error(Beaneater::NotFoundError) { job.kick }
  job = tube.reserve
  expect([true, 'states', 1000, 5, 1000], [job.reserved?, job.tube, job.ttr, job.pri, job.delay])
  expect_values({ 'state' => 'reserved', 'reserves' => 3, 'buries' => 1, 'kicks' => 2 }, job.stats)
  job.delete
  expect([nil] * 4, [client.jobs[id], tube.peek(:ready), tube.peek(:delayed), tube.peek(:buried)])
end

step 'buried jobs come back in their order' do |client|
  tube = client.tubes['buried']
  %w[a b c].each do |body|
    tube.put(body)
    tube.reserve(5).bury
  end
  expect({ status: 'KICKED', id: '2' }, tube.kick(2))
  expect(%w[a b], Array.new(2) { tube.reserve(0).body })
  expect_values({ 'current_jobs_reserved' => 2, 'current_jobs_buried' => 1 }, tube.stats)
end

step 'tubes' do |client|
  client.tubes.use('emails')
  client.tubes.watch('emails', 'sms')
  client.tubes.ignore('default')
  expect(['emails', %w[emails sms]], [client.tubes.used.name, client.tubes.watched.map(&:name).sort])
  client.tubes.watch!('emails')
  expect_error(Beaneater::NotIgnoredError) { client.tubes.ignore('emails') }
  expect(['emails'], client.tubes.watched.map(&:name))
  expect(true, client.tubes.all.map(&:name).include?('emails'))
  tube = client.tubes.find('emails')
  tube.put('x')
  expected = { 'name' => 'emails', 'current_jobs_ready' => 1, 'current_using' => 1, 'current_watching' => 1 }
  expect_values(expected, tube.stats)
  expect('x', client.tubes.reserve(5).body)
  expect_error(Beaneater::NotFoundError) { client.tubes['nowhere'].stats }
end

step 'clear' do |client|
  tube = client.tubes['clear']
  tube.put('delayed', delay: 1000)
  tube.put('buried')
  tube.reserve(0).bury
  3.times { tube.put('ready') }
  tube.clear
  expect([nil] * 3, %i[delayed buried ready].map { |state| tube.peek(state) })
  expect([0, 5], [tube.stats.current_jobs_ready, tube.stats.total_jobs])
end

step 'processing with retries' do |client|
  refusal = Class.new(StandardError)
  attempts = []
  client.jobs.register('work', retry_on: [refusal], max_retries: 1) do |job|
    attempts << job.body
    raise refusal if job.body == 'again'
    raise 'unexpected' if job.body == 'failing'
    raise Beaneater::AbortProcessingError if job.body == 'stop'
  end
  tube = client.tubes['work']
  %w[fine failing again].each { |body| tube.put(body) }
  tube.put('stop', delay: 3)
  client.jobs.process!(release_delay: 1, reserve_timeout: 10)
  # What is still refused after its retries is buried, and so is a failing or aborted job.
  expect(%w[fine failing again again stop], attempts)
  expect_values({ 'current_jobs_buried' => 3, 'current_jobs_ready' => 0, 'total_jobs' => 4 }, tube.stats)
  tube.clear
end

step 'pause' do |client|
  tube = client.tubes['pause']
  tube.put('x')
  expect('PAUSED', tube.pause(1000)[:status])
  expect_error(Beaneater::TimedOutError) { tube.reserve(0) }
  expect_values({ 'pause' => 1000, 'cmd_pause_tube' => 1 }, tube.stats)
  tube.pause(0)
  tube.reserve(5).delete
  expect_error(Beaneater::NotFoundError) { client.tubes['nowhere'].pause(1) }
end

# Names that YAML takes for something else when they are bare, as beanstalkd 1.12 prints them.
step 'names that look like numbers' do |client|
  next unless client.stats.keys.include?('beanrow_version')

  %w[1.5 null true yes y 0x10 010 1e3 1_000 +1 2026-11-27 .inf . .e+1 1.2.3].each do |name|
    id = client.tubes[name].put('x')[:id]
    expect([name, name], [client.tubes[name].stats.name, client.jobs.find(id).stats.tube])
    client.jobs.find(id).delete
  end
end

step 'stats' do |client|
  expect(client.stats.keys.include?('beanrow_version') ? 52 : 51, client.stats.keys.size)
  expect_values({ 'current_jobs_reserved' => 0, 'max_job_size' => 65_535, 'current_connections' => 1 }, client.stats)
  expect([true, String], [client.stats.cmd_put.positive?, client.stats.version.class])
end

step 'delays and timeouts' do |client|
  tube = client.tubes['times']
  job = nil
  expect_at_least(1) do
    tube.put('x', delay: 1, ttr: 3)
    job = tube.reserve(10)
  end
  expect_error(Beaneater::DeadlineSoonError) { client.tubes.reserve(10) }
  job.delete
  tube.put('x', ttr: 3)
  job = tube.reserve(10)
  expect_error(Beaneater::DeadlineSoonError) { client.tubes.reserve }
  job.delete
  expect_at_least(1) { expect_error(Beaneater::TimedOutError) { tube.reserve(1) } }
end

step 'a job held too long' do |client|
  other = Beaneater.new(ADDRESS)
  tube = client.tubes['held']
  id = tube.put('x', ttr: 3)[:id]
  job = tube.reserve
  again = other.tubes['held'].reserve(10)
  expect([id, 1], [again.id, again.stats.timeouts])
  expect_error(Beaneater::NotFoundError) { job.touch }
  again.delete
end

puts 'done'
