// swift-tools-version: 6.1

// The broker's parts, each alone: no sockets, no threads, no PostgreSQL. From the repository's root:
//
//     swift package --package-path Benchmarks benchmark
//
// `--filter 'cache.*'` runs some of them. Figures marked `*` are for one operation.
//
// It is a separate package, so that a build of the broker does not fetch the tool. The tool's traits are off: they would
// replace malloc and reference counting under the measured code. Counts of allocations need those traits.

import PackageDescription

let package = Package(
    name: "benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        // By name, since the folder above may have any name.
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
