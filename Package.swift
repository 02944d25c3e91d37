// swift-tools-version: 6.2

import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
    name: "beanrow",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "beanrow", targets: ["beanrow"]),
        // Of the nested packages alone.
        .library(name: "BeanstalkProtocol", targets: ["BeanstalkProtocol"]),
        .library(name: "PostgresStore", targets: ["PostgresStore"]),
        .library(name: "QueueCore", targets: ["QueueCore"]),
        .library(name: "Simulation", targets: ["Simulation"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        // Of the admin listener, and of the commands that talk to it.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: ["FullFoundation"]),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        // Of `beanrow bench` alone.
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        // Of the tests alone.
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // libpq, and nothing else, behind one door.
        .systemLibrary(
            name: "CLibPQ",
            pkgConfig: "libpq",
            providers: [.apt(["libpq-dev"]), .brew(["libpq"])]
        ),
        // Calls of Linux that Swift's Glibc module leaves out.
        .systemLibrary(name: "CLinux"),
        // The pure state machine: no I/O, no clock, no threads.
        .target(
            name: "QueueCore",
            dependencies: [.product(name: "DequeModule", package: "swift-collections")],
            exclude: [
                "README.md", "Activity/README.md", "Clients/README.md", "Collections/README.md", "Invariants/README.md",
                "Jobs/README.md", "Peers/README.md", "Store/README.md", "Tubes/README.md", "Vocabulary/README.md",
            ],
            swiftSettings: strict
        ),
        // The wire: bytes to commands, replies to bytes.
        .target(
            name: "BeanstalkProtocol",
            dependencies: ["QueueCore", .product(name: "NIOCore", package: "swift-nio")],
            exclude: ["README.md"],
            swiftSettings: strict
        ),
        .target(name: "LogKeys", exclude: ["README.md"], swiftSettings: strict),
        // Open files, and the lock on a directory.
        .target(name: "Files", exclude: ["README.md"], swiftSettings: strict),
        // beanstalkd's log, read.
        .target(name: "Binlog", dependencies: ["Files"], exclude: ["README.md"], swiftSettings: strict),
        // Jobs as rows.
        .target(
            name: "PostgresStore",
            dependencies: [
                "AdminAPI", "Binlog", "CLibPQ", .target(name: "CLinux", condition: .when(platforms: [.linux])), "LogKeys",
                "QueueCore", .product(name: "Logging", package: "swift-log"),
            ],
            exclude: ["README.md", "migrations/README.md"]
                + [
                    "Admin", "Connection", "Import", "Membership", "Notices", "Queries", "Roles", "Schema", "Tubes", "Upkeep",
                    "Workers", "Writing",
                ].map { $0 + "/README.md" },
            resources: [.embedInCode("migrations")],
            swiftSettings: strict
        ),
        // The private cluster of a broker that was given no database.
        .target(
            name: "EmbeddedPostgres",
            dependencies: [
                .target(name: "CLinux", condition: .when(platforms: [.linux])), "Files", "LogKeys",
                .product(name: "Logging", package: "swift-log"),
            ],
            exclude: ["README.md"],
            swiftSettings: strict
        ),
        // Sockets, threads and lifecycle.
        .target(
            name: "BeanrowServer",
            dependencies: [
                "BeanstalkProtocol", "LogKeys", "QueueCore", "PostgresStore",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            exclude: ["README.md"],
            swiftSettings: strict
        ),
        // What the admin listener and its clients say to each other, as types.
        .target(name: "AdminAPI", exclude: ["README.md"], swiftSettings: strict),
        // The admin listener: health, metrics, the API, its events and the page.
        .target(
            name: "AdminServer",
            dependencies: [
                "AdminAPI", .target(name: "CLinux", condition: .when(platforms: [.linux])), "LogKeys", "PostgresStore",
                "QueueCore",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Mustache", package: "swift-mustache"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOFoundationCompat", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            exclude: ["README.md"],
            resources: [.embedInCode("Page")],
            swiftSettings: strict
        ),
        // The admin listener's client, for the command line.
        .target(
            name: "AdminClient",
            dependencies: [
                "AdminAPI", .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            exclude: ["README.md"],
            swiftSettings: strict
        ),
        // Clients by the hundred, and the check of what they are given.
        .target(
            name: "LoadGenerator",
            dependencies: [
                .target(name: "CLinux", condition: .when(platforms: [.linux])),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ],
            exclude: [
                "README.md", "Clients/README.md", "Connections/README.md", "Reporting/README.md", "Running/README.md",
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "beanrow",
            dependencies: [
                "AdminAPI", "AdminClient", "AdminServer", "BeanrowServer", "Binlog", "EmbeddedPostgres", "Files",
                "LoadGenerator", "LogKeys", "PostgresStore",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            exclude: ["README.md", "Commands/README.md", "Options/README.md", "Process/README.md"],
            swiftSettings: strict
        ),

        // Brokers on one database, with everything around them simulated.
        .target(
            name: "Simulation",
            dependencies: ["QueueCore", .product(name: "HeapModule", package: "swift-collections")],
            path: "Tests/Simulation",
            exclude: ["README.md"],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "simulate", dependencies: ["Simulation"], path: "Tests/Simulate", swiftSettings: strict),
        .testTarget(name: "QueueCoreTests", dependencies: ["QueueCore", "Simulation"], swiftSettings: strict),
        // A few schedules without optimization; script/simulate runs thousands.
        .testTarget(name: "SimulationTests", dependencies: ["QueueCore", "Simulation"], swiftSettings: strict),
        .testTarget(
            name: "BeanstalkProtocolTests",
            dependencies: [
                "BeanstalkProtocol", "QueueCore", "Simulation", .product(name: "NIOCore", package: "swift-nio"),
            ],
            exclude: ["README.md"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "EmbeddedPostgresTests",
            dependencies: ["EmbeddedPostgres", .product(name: "Logging", package: "swift-log")],
            exclude: ["README.md"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "LoadGeneratorTests", dependencies: ["LoadGenerator"], exclude: ["README.md"], swiftSettings: strict),
        .testTarget(name: "BinlogTests", dependencies: ["Binlog"], exclude: ["README.md"], swiftSettings: strict),
        // Folders written by the real beanstalkd, taken over by the real binary.
        .testTarget(
            name: "ImportTests", dependencies: ["TestKit", "beanrow"], exclude: ["README.md"], swiftSettings: strict),
        // A PostgreSQL, a broker process and a client for tests.
        .target(
            name: "TestKit",
            dependencies: ["EmbeddedPostgres", .product(name: "Logging", package: "swift-log")],
            path: "Tests/TestKit",
            swiftSettings: strict
        ),
        // From outside: the real binary over its sockets.
        .testTarget(
            name: "WireTests",
            dependencies: ["TestKit", "beanrow"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "PostgresStoreTests",
            dependencies: [
                "PostgresStore", "QueueCore", "CLibPQ", "TestKit", .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict
        ),
        // The functions and views, by pgTAP; and docs/sql.md, whose queries are run as printed.
        .testTarget(
            name: "SQLTests",
            dependencies: ["PostgresStore", "TestKit", "beanrow"],
            exclude: [
                "arguments.sql", "bad_input.sql", "holders.sql", "many.sql", "put.sql", "second_schema.sql",
                "security.sql",
                "steer.sql", "take.sql", "views.sql",
            ],
            swiftSettings: strict
        ),
        // A primary dies and its standby takes over, under the real binary.
        .testTarget(
            name: "FailoverTests",
            dependencies: ["TestKit", "beanrow"],
            swiftSettings: strict
        ),
        // The same random histories to Debian's beanstalkd and to the real binary.
        .testTarget(
            name: "DifferentialTests",
            dependencies: ["TestKit", "beanrow"],
            swiftSettings: strict
        ),
        // Faults on the real thing, and what clients are told meanwhile.
        .testTarget(
            name: "ChaosTests",
            dependencies: ["PostgresStore", "TestKit", "beanrow"],
            swiftSettings: strict
        ),
        // The command line, the system around the process, and much of everything.
        .testTarget(
            name: "ProcessTests",
            dependencies: ["TestKit", "beanrow"],
            exclude: ["README.md", "systemd.py", "terminal.py"],
            swiftSettings: strict
        ),
        // Clients that mean harm, beside one that must not notice.
        .testTarget(name: "HostileTests", dependencies: ["TestKit", "beanrow"], swiftSettings: strict),
        // Clients written for beanstalkd, end to end.
        // The page, in a browser.
        .testTarget(
            name: "PageTests",
            dependencies: ["TestKit", "beanrow"],
            exclude: ["Sessions"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ClientTests",
            dependencies: ["TestKit", "beanrow"],
            exclude: ["Sessions"],
            swiftSettings: strict
        ),
        // What the pages name, against the program and the schema.
        .testTarget(name: "DocsTests", dependencies: ["TestKit", "beanrow"], swiftSettings: strict),
        .testTarget(
            name: "ContainerTests",
            dependencies: ["beanrow", .product(name: "Yams", package: "Yams")],
            swiftSettings: strict
        ),
    ],
    swiftLanguageModes: [.v6]
)
