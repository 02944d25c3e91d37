import AdminAPI
import HTTPTypes
import HummingbirdCore
import NIOCore

/// Decides whether a request is heard, before anything is read of it.
struct Guard {
    let viewer: Viewer
    let base: String

    init(_ request: Request, from channel: any Channel, _ configuration: AdminConfiguration) throws {
        let peer = channel.remoteAddress?.ipAddress
        viewer = Viewer(name: nil, label: peer ?? "unix", mayAct: configuration.access.allowsActions)
        base = configuration.basePath
    }
}
