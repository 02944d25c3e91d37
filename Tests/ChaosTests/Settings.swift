import Foundation

/// How long a run takes, and which.
struct Settings: Sendable {
    /// Seconds in which faults strike; each kind strikes once in any case.
    var seconds = 0.0
    var seed: UInt64 = 1
    /// A progress line every few seconds.
    var showsProgress = false
    /// The longest that the jobs of a killed broker may be out of reach, in seconds.
    var handoverLimit = 30.0

    /// As the environment says (`script/chaos`), else what a run of all tests has time for.
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
