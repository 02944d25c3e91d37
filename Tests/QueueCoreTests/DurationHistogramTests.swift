import Testing

@testable import QueueCore

/// Lengths of time in buckets.
@Suite("Duration histograms")
struct DurationHistogramTests {
    @Test func aBoundBelongsToItsBucket() {
        for (at, bound) in DurationHistogram.bounds.enumerated() {
            let nanoseconds = Int64(bound * 1e9)
            var histogram = DurationHistogram()
            histogram.add(Span(nanoseconds: nanoseconds))
            histogram.add(Span(nanoseconds: nanoseconds + 1))
            #expect(histogram.counts[at] == 1)
            #expect(histogram.counts[at + 1] == 1)
        }
    }

    @Test func aNegativeLengthIsNone() {
        var histogram = DurationHistogram()
        histogram.add(.seconds(-5))
        #expect(histogram.counts[0] == 1)
        #expect(histogram.sum == 0)
    }

    @Test func aPercentileIsTheBoundOfItsBucket() {
        var histogram = DurationHistogram()
        #expect(histogram.percentile(0.5) == nil)
        for _ in 0..<98 { histogram.add(.milliseconds(3)) }
        histogram.add(.seconds(20))
        histogram.add(.seconds(1_000_000))
        #expect(histogram.percentile(0.5) == 0.005)
        #expect(histogram.percentile(0.98) == 0.005)
        #expect(histogram.percentile(0.99) == 30)
        #expect(histogram.percentile(1) == 86400, "there is no longer bound")
    }

    @Test func sumsAndDifferences() {
        var (a, b) = (DurationHistogram(), DurationHistogram())
        a.add(.seconds(1))
        b.add(.seconds(1))
        b.add(.seconds(9))
        #expect((b - a).count == 1)
        #expect((b - a).sum == 9)
        #expect((b - b) == DurationHistogram())
        var sum = DurationHistogram()
        sum += b
        sum += a
        #expect(sum.count == 3)
        #expect(sum.sum == 11)
    }
}
