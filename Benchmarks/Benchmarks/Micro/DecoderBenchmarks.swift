import BeanstalkProtocol
import Benchmark
import NIOCore

func decoderBenchmarks() {
    let body = String(repeating: "x", count: 200)
    let put = "put 1024 0 120 200\r\n\(body)\r\n"
    decodes("put of 200 B", put)
    decodes("delete", "delete 123456789\r\n")
    decodes("reserve", "reserve\r\n")
    decodes("64 pipelined puts of 200 B", String(repeating: put, count: 64))
}

/// Decodes all that one read of a socket gave.
private func decodes(_ what: String, _ text: String) {
    Benchmark("decoder: \(what)") { benchmark in
        var decoder = CommandDecoder(maxJobSize: 65535)
        var chunk = ByteBuffer(string: text)
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations {
            chunk.moveReaderIndex(to: 0)
            while let command = decoder.next(from: &chunk) { blackHole(command) }
        }
        benchmark.stopMeasurement()
        precondition(chunk.readableBytes == 0 && decoder.isIdle, "the chunk was not decoded whole")
    }
}
