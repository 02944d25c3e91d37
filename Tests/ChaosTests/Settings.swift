import Foundation

/// The length and the seed of a run.
struct Settings: Sendable {
    /// Seconds in which faults happen; each kind happens at least once.
    var seconds = 0.0
    var seed: UInt64 = 1
    /// A progress line every few seconds.
    var showsProgress = false
    /// The most seconds until another broker must give out the jobs of a killed one.
    var handoverLimit = 30.0

    /// The values of the environment (`script/chaos`), else short ones for a run of all tests.
    static func fromEnvironment() -> Settings {
        var settings = Settings()
        let environment = ProcessInfo.processInfo.environment
        if let seconds = environment["CHAOS_SECONDS"].flatMap({ Double($0) }) {
            settings.seconds = seconds
            settings.showsProgress = true
            settings.handoverLimit = 5
        }
        settings.seed = environment["CHAOS_SEED"].flatMap { UInt64($0) } ?? settings.seed
        return settings
    }
}
