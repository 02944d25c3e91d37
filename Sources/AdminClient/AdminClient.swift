import AsyncHTTPClient

/// A client of an admin listener.
public struct AdminClient: Sendable {}
