import BeanrowServer
import Binlog
import EmbeddedPostgres

/// How the process ends, by beanstalkd's numbers where it has one (operations, 2.1).
enum ExitStatus: Int32 {
    case failure = 1
    /// A flag, an argument or a size that is none.
    case usage = 5
    /// Another process has the data directory.
    case locked = 10
    /// There is no such user, or it cannot be taken on: its group, its user.
    case noUser = 32
    case noGroupChange = 33
    case noUserChange = 34
    /// The socket.
    case noSocket = 111

    init(_ error: any Error) {
        switch error {
        case is ServerError: self = .noSocket
        case let error as UserError: self = error.status
        case EmbeddedPostgresError.inUse, BinlogError.inUse: self = .locked
        default: self = .failure
        }
    }
}

/// The end of a command that has said why.
struct Failure: Error {
    let status: Int32

    init(status: ExitStatus) {
        self.status = status.rawValue
    }

    /// A signal has ended it.
    init(signalStatus: Int32) {
        status = signalStatus
    }
}
