import Foundation
import Testing

/// A name that is not so, and where it stands.
func fail(_ place: String, _ what: String) {
    Issue.record("\(place): \(what)")
}

func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: Page.root.appending(path: path).path)
}

func text(of path: String) -> String {
    (try? String(contentsOf: Page.root.appending(path: path), encoding: .utf8)) ?? ""
}

/// All below a folder.
func files(in folder: String) -> [String] {
    let found = FileManager.default.enumerator(atPath: Page.root.appending(path: folder).path)
    return (found?.compactMap { $0 as? String } ?? []).map { "\(folder)/\($0)" }.filter { path in
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: Page.root.appending(path: path).path, isDirectory: &isFolder)
            && !isFolder.boolValue
    }
}
