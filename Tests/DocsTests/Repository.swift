import Foundation
import Testing

/// Records a name that does not resolve, and where it stands.
func fail(_ place: String, _ what: String) {
    Issue.record("\(place): \(what)")
}

func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: Page.root.appending(path: path).path)
}

func text(of path: String) -> String {
    (try? String(contentsOf: Page.root.appending(path: path), encoding: .utf8)) ?? ""
}

/// All files below a folder, without those of builds. Links to folders are not followed.
func files(in folder: String) -> [String] {
    guard let found = FileManager.default.enumerator(atPath: Page.root.appending(path: folder).path) else { return [] }
    var paths: [String] = []
    for case let path as String in found {
        if path.split(separator: "/").last?.hasPrefix(".build") == true {
            found.skipDescendants()
            continue
        }
        var isFolder: ObjCBool = false
        let whole = "\(folder)/\(path)"
        if FileManager.default.fileExists(atPath: Page.root.appending(path: whole).path, isDirectory: &isFolder),
            !isFolder.boolValue
        {
            paths.append(whole)
        }
    }
    return paths
}

/// All files of the repository, without those of Git and of builds.
let repositoryFiles: [String] = {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: Page.root.path)) ?? []
    return entries.sorted().filter { $0 != ".git" && !$0.hasPrefix(".build") }.flatMap { entry in
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: Page.root.appending(path: entry).path, isDirectory: &isFolder)
        return isFolder.boolValue ? files(in: entry) : [entry]
    }
}()
