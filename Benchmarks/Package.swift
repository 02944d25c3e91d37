// swift-tools-version: 6.1

// The broker's parts, each alone: no sockets, no threads, no PostgreSQL. From the repository's root:
//
//     swift package --package-path Benchmarks benchmark
//
// `--filter 'cache.*'` runs some of them. What is marked `*` is of one operation.
//
// A package of its own, so that who builds the broker does not fetch the tool. Without the tool's traits, which would
// put a malloc and a reference counting of its own under what is measured; its counts of allocations go with them.

import PackageDescription

let package = Package(
    name: "benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        // By name: the folder above may be called anything.
        .package(name: "beanrow", path: "../"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
    ],
    targets: [
        .executableTarget(
            name: "Micro",
            dependencies: [
                .product(name: "BeanstalkProtocol", package: "beanrow"),
                .product(name: "Benchmark", package: "benchmark"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "PostgresStore", package: "beanrow"),
                .product(name: "QueueCore", package: "beanrow"),
            ],
            // The tool finds its targets by a folder of this name.
            path: "Benchmarks/Micro",
            swiftSettings: [
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("InternalImportsByDefault"),
            ],
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]
        )
    ],
    swiftLanguageModes: [.v6]
)
