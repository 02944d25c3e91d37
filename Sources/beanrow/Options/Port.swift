import ArgumentParser

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// A port as `-p` takes it: a number, or the name of a service.
struct Port: ExpressibleByArgument {
    let number: UInt16

    init(number: UInt16) {
        self.number = number
    }

    init?(argument: String) {
        if let number = UInt16(argument) {
            self.number = number
        } else if let service = getservbyname(argument, "tcp") {
            // In network order.
            number = UInt16(truncatingIfNeeded: service.pointee.s_port).byteSwapped
        } else {
            return nil
        }
    }

    var defaultValueDescription: String { "\(number)" }
}
