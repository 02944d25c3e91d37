import AdminServer
import BeanrowServer
import Binlog
import EmbeddedPostgres

/// The exit statuses. Those that beanstalkd has too are the same numbers.
enum ExitStatus: Int32 {
    case failure = 1
    /// An invalid flag, argument or size.
    case usage = 5
    /// Another process holds the data directory.
    case locked = 10
    /// The user of -u does not exist.
    case noUser = 32
    /// The process could not take on the user's groups.
    case noGroupChange = 33
    /// The process could not become the user.
    case noUserChange = 34
    /// The socket could not be bound.
    case noSocket = 111

    init(_ error: any Error) {
        switch error {
        case is ServerError, is AdminError: self = .noSocket
        case is HTTPOptionError: self = .usage
        case let error as UserError: self = error.status
        case EmbeddedPostgresError.inUse, BinlogError.inUse: self = .locked
        default: self = .failure
        }
    }
}

/// A command failed and has already said why.
struct Failure: Error {
    let status: Int32

    init(status: ExitStatus) {
        self.status = status.rawValue
    }

    /// A signal has ended the command.
    init(signalStatus: Int32) {
        status = signalStatus
    }
}
