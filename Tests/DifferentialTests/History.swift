/// The steps of several clients in order, the same for both servers.
struct History: Sendable {
    var steps: [Step]

    /// How many steps let time pass.
    var pauses: Int {
        steps.reduce(0) { if case .pass = $1 { $0 + 1 } else { $0 } }
    }

    /// True if the servers were told to drain: another history cannot use them.
    var drains: Bool {
        steps.contains { if case .drain = $0 { true } else { false } }
    }
}

/// One step; the replies are compared after it.
enum Step: Sendable {
    /// A client connects. Clients have numbers; this one is new or has disconnected.
    case open(Int)
    /// A client sends messages in one piece, or cut at these points (thousandths of the whole).
    case send(Int, [Message], cuts: [Int])
    /// A client sends the first thousandths of a message.
    case begin(Int, Message, thousandths: Int)
    /// A client sends the rest of the message that it has begun.
    case finish(Int)
    case close(Int)
    /// A client closes its sending side.
    case halfClose(Int)
    /// This many seconds pass, and a fraction that keeps events away from commands (`Clock`).
    case pass(Int)
    /// SIGUSR1.
    case drain
}

/// A command, well-formed or not, with its body.
struct Message: Sendable {
    enum Piece: Sendable {
        case bytes([UInt8])
        /// The id of the job that was made by the put with this tag.
        case job(Int)
    }

    var pieces: [Piece]
    /// The tag of the job, if this is a put.
    var put: Int?
    /// True if it may wait for a job.
    var blocks = false
    /// True if it delays a job by some seconds.
    var delays = false
    /// The tube that it adds to the client's watch list.
    var watches: String?

    func begins(with text: String) -> Bool {
        if case .bytes(let bytes) = pieces.first { bytes.starts(with: text.utf8) } else { false }
    }

    init(_ text: String, put: Int? = nil) {
        pieces = [.bytes(Array(text.utf8))]
        self.put = put
    }

    init(_ pieces: [Piece]) {
        self.pieces = pieces
    }

    /// A command with an id, for example `delete <id>`.
    init(_ word: String, job tag: Int, _ rest: String = "") {
        self.init([.bytes(Array("\(word) ".utf8)), .job(tag), .bytes(Array("\(rest)\r\n".utf8))])
    }
}

extension Message: ExpressibleByStringLiteral {
    init(stringLiteral text: String) {
        self.init(text)
    }
}

extension Message: CustomStringConvertible {
    /// Job ids are shown as the tags of their puts, and control characters are escaped.
    var description: String {
        pieces.reduce(into: "") { text, piece in
            switch piece {
            case .bytes(let bytes): text += visible(bytes)
            case .job(let tag): text += "<job \(tag)>"
            }
        } + (put.map { " (job \($0))" } ?? "")
    }
}

extension Step: CustomStringConvertible {
    var description: String {
        switch self {
        case .open(let client): "client \(client) connects"
        case .send(let client, let messages, let cuts):
            "client \(client)\(cuts.isEmpty ? "" : ", in \(cuts.count + 1) pieces") > "
                + messages.map(\.description).joined(separator: " ")
        case .begin(let client, let message, let thousandths):
            "client \(client) > the first \(thousandths)/1000 of \(message)"
        case .finish(let client): "client \(client) > the rest"
        case .close(let client): "client \(client) disconnects"
        case .halfClose(let client): "client \(client) half-closes"
        case .pass(let seconds): "\(seconds) s and a part pass"
        case .drain: "SIGUSR1"
        }
    }
}

/// The bytes as text: control characters and bytes above ASCII are escaped, and long runs are cut.
func visible(_ bytes: some Collection<UInt8>) -> String {
    var text = ""
    for byte in bytes.prefix(160) {
        switch byte {
        case 0x0D: text += "\\r"
        case 0x0A: text += "\\n"
        case 0x20..<0x7F: text.unicodeScalars.append(Unicode.Scalar(byte))
        default:
            let digits = String(byte, radix: 16)
            text += digits.count == 1 ? "\\x0\(digits)" : "\\x\(digits)"
        }
    }
    return bytes.count > 160 ? "\(text)... (\(bytes.count) bytes)" : text
}
