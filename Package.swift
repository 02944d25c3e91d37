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
        // Used by the nested packages only.
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
        // Used by the admin listener, and by the commands that talk to it.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: ["FullFoundation"]),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        // Used by `beanrow bench` only.
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        // Used by the tests only.
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // The headers of libpq.
        .systemLibrary(
            name: "CLibPQ",
            pkgConfig: "libpq",
            providers: [.apt(["libpq-dev"]), .brew(["libpq"])]
        ),
        // Linux calls that Swift's Glibc module leaves out.
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
        // Log records as lines.
        .target(
            name: "LogOutput", dependencies: ["LogKeys", .product(name: "Logging", package: "swift-log")],
            exclude: ["README.md"], swiftSettings: strict),
        // Open files, and the lock on a directory.
        .target(name: "Files", exclude: ["README.md"], swiftSettings: strict),
        // Reads beanstalkd's log.
        .target(name: "Binlog", dependencies: ["Files"], exclude: ["README.md"], swiftSettings: strict),
        // Stores jobs as rows of PostgreSQL.
        .target(
            name: "PostgresStore",
            dependencies: [
                "AdminAPI", "Binlog", "CLibPQ", .target(name: "CLinux", condition: .when(platforms: [.linux])),
                "LogKeys",
                "QueueCore", .product(name: "Logging", package: "swift-log"),
            ],
            exclude: ["README.md", "migrations/README.md"]
                + [
                    "Admin", "Connection", "Import", "Membership", "Notices", "Queries", "Roles", "Samples", "Schema",
                    "Tubes", "Upkeep", "Workers", "Writing",
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
        // The messages between the admin listener and its clients, as types.
        .target(name: "AdminAPI", exclude: ["README.md"], swiftSettings: strict),
        // What a broker knows of itself, as text for Prometheus.
        .target(
            name: "MetricsExposition", dependencies: ["QueueCore"], exclude: ["README.md"], swiftSettings: strict),
        // The admin listener: health, metrics, the API, its events and the page.
        .target(
            name: "AdminServer",
            dependencies: [
                "AdminAPI", .target(name: "CLinux", condition: .when(platforms: [.linux])), "LogKeys",
                "MetricsExposition", "PostgresStore", "QueueCore",
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
            resources: [.embedInCode("Page"), .embedInCode("openapi.json")],
            swiftSettings: strict
        ),
        // `beanrow top`: what it shows, as lines of text, and the terminal that shows it.
        .target(
            name: "Terminal", dependencies: ["AdminAPI", "AdminClient", "LogKeys"],
            exclude: ["README.md"], swiftSettings: strict),
        // The admin listener's client, for the command line.
        .target(
            name: "AdminClient",
            dependencies: [
                "AdminAPI", .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            exclude: ["README.md"],
            swiftSettings: strict
        ),
        // The clients of `beanrow bench`, and the check of the jobs that they are given.
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
                "LoadGenerator", "LogKeys", "LogOutput", "MetricsExposition", "PostgresStore", "Terminal",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            exclude: [
                "README.md", "Commands/README.md", "Commands/Admin/README.md", "Options/README.md", "Process/README.md",
            ],
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
        // Runs a few schedules without optimization; script/simulate runs thousands.
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
        .testTarget(
            name: "LogOutputTests", dependencies: ["LogOutput", .product(name: "Logging", package: "swift-log")],
            swiftSettings: strict),
        // The screens of `beanrow top`, and it and the commands for scripts against a real broker, in tmux.
        .testTarget(
            name: "TerminalTests", dependencies: ["AdminAPI", "AdminClient", "Terminal", "TestKit", "beanrow"],
            exclude: ["README.md", "tls_proxy.py"], swiftSettings: strict),
        .testTarget(name: "BinlogTests", dependencies: ["Binlog"], exclude: ["README.md"], swiftSettings: strict),
        // The real binary imports folders that the real beanstalkd has written.
        .testTarget(
            name: "ImportTests", dependencies: ["TestKit", "beanrow"], exclude: ["README.md"], swiftSettings: strict),
        // A PostgreSQL, a broker process and a client for tests.
        .target(
            name: "TestKit",
            dependencies: ["EmbeddedPostgres", .product(name: "Logging", package: "swift-log")],
            path: "Tests/TestKit",
            swiftSettings: strict
        ),
        // The admin listener of the real binary, and its API against openapi.json.
        .testTarget(
            name: "AdminTests", dependencies: ["AdminAPI", "AdminServer", "QueueCore", "TestKit", "beanrow"],
            swiftSettings: strict),
        // Tests the real binary over its sockets.
        .testTarget(
            name: "WireTests",
            dependencies: ["TestKit", "beanrow"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "PostgresStoreTests",
            dependencies: [
                "AdminAPI", "PostgresStore", "QueueCore", "CLibPQ", "TestKit",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict
        ),
        // Tests the functions and views with pgTAP, and runs the queries of docs/sql.md as printed.
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
        // The standby of a dead primary takes over while the real binary serves.
        .testTarget(
            name: "FailoverTests",
            dependencies: ["TestKit", "beanrow"],
            swiftSettings: strict
        ),
        // Debian's beanstalkd and the real binary are given the same random histories.
        .testTarget(
            name: "DifferentialTests",
            dependencies: ["TestKit", "beanrow"],
            swiftSettings: strict
        ),
        // Faults in real processes, and a check of what clients are told meanwhile.
        .testTarget(
            name: "ChaosTests",
            dependencies: ["PostgresStore", "TestKit", "beanrow"],
            swiftSettings: strict
        ),
        // The command line, the system around the process, and large numbers of tubes and connections.
        .testTarget(
            name: "ProcessTests",
            dependencies: ["TestKit", "beanrow"],
            exclude: ["README.md", "systemd.py", "terminal.py"],
            swiftSettings: strict
        ),
        // Hostile clients, beside one that must not notice them.
        .testTarget(name: "HostileTests", dependencies: ["TestKit", "beanrow"], swiftSettings: strict),
        // The page, in a browser.
        .testTarget(
            name: "PageTests",
            dependencies: ["TestKit", "beanrow"],
            exclude: ["Sessions"],
            swiftSettings: strict
        ),
        // Client libraries for beanstalkd, end to end.
        .testTarget(
            name: "ClientTests",
            dependencies: ["TestKit", "beanrow"],
            exclude: ["Sessions"],
            swiftSettings: strict
        ),
        // The metrics, by Prometheus itself: its check, its rules and its queries.
        .testTarget(
            name: "MetricsTests",
            dependencies: ["MetricsExposition", "QueueCore", "TestKit", "beanrow"],
            exclude: ["README.md"],
            swiftSettings: strict
        ),
        // Checks that what the pages name is in the program and the schema.
        .testTarget(name: "DocsTests", dependencies: ["TestKit", "beanrow"], swiftSettings: strict),
        .testTarget(
            name: "ContainerTests",
            dependencies: ["beanrow", "AdminServer", .product(name: "Yams", package: "Yams")],
            swiftSettings: strict
        ),
    ],
    swiftLanguageModes: [.v6]
)
