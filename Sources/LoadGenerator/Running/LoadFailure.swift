/// Why a run could not be done, or what the server did wrong, as a sentence for people.
public struct LoadFailure: Error, Equatable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
