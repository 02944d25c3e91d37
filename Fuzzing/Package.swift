// swift-tools-version: 6.1

// Targets of libFuzzer. `script/fuzz` builds and runs them.
// They are a package of their own, so that the root package has only the products that people use. They are static
// libraries, since SwiftPM cannot link an executable whose `main` is libFuzzer's.

import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
    name: "fuzzing",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "FuzzDecoder", type: .static, targets: ["FuzzDecoder"]),
        .library(name: "FuzzBroker", type: .static, targets: ["FuzzBroker"]),
    ],
    dependencies: [
        // By name: the parent folder may be called anything.
        .package(name: "beanrow", path: "../"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    ],
    targets: [
        // Bytes in pieces of any size.
        .target(
            name: "FuzzDecoder",
            dependencies: [
                .product(name: "BeanstalkProtocol", package: "beanrow"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "QueueCore", package: "beanrow"),
            ],
            swiftSettings: strict
        ),
        // Bytes of several clients, time, and a store that answers late or not at all.
        .target(
            name: "FuzzBroker",
            dependencies: [
                .product(name: "BeanstalkProtocol", package: "beanrow"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "QueueCore", package: "beanrow"),
                .product(name: "Simulation", package: "beanrow"),
            ],
            swiftSettings: strict
        ),
    ],
    swiftLanguageModes: [.v6]
)
