// swift-tools-version: 6.2

import PackageDescription

/// Async functions stay on the thread of their caller: each switch costs more than most of them.
let staysOnCaller: [SwiftSetting] = [
  .enableUpcomingFeature("NonisolatedNonsendingByDefault")
]

/// Lets the targets above specialize generic functions of this one: in a request's way, the
/// unspecialized ones take longer than what they do.
let isInlinedAbove: [SwiftSetting] = [
  .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release))
]

let package = Package(
  name: "tollgate",
  platforms: [.macOS(.v26)],
  products: [
    .executable(name: "tollgate", targets: ["TollgateCommand"])
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-async-algorithms", from: "1.1.4"),
    .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
  ],
  targets: [
    .systemLibrary(
      name: "CLibpq",
      pkgConfig: "libpq",
      providers: [.apt(["libpq-dev"]), .brew(["libpq"])]
    ),
    .target(name: "Failpoints"),
    .target(name: "Locking", swiftSettings: isInlinedAbove),
    .target(
      name: "Postgres",
      dependencies: [
        "CLibpq",
        "Failpoints",
        "Locking",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: isInlinedAbove
    ),
    .target(
      name: "Telemetry",
      dependencies: ["Locking", .product(name: "CoreMetrics", package: "swift-metrics")]
    ),
    .target(name: "Tollgate", swiftSettings: isInlinedAbove),
    .target(
      name: "TollgateStore",
      dependencies: [
        "Failpoints",
        "Locking",
        "Postgres",
        "Tollgate",
        .product(name: "AsyncAlgorithms", package: "swift-async-algorithms"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      swiftSettings: staysOnCaller
    ),
    .target(
      name: "TollgateAPI",
      dependencies: [
        "Failpoints",
        "Locking",
        "Telemetry",
        "Tollgate",
        "TollgateStore",
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "JWTKit", package: "jwt-kit"),
        .product(name: "Metrics", package: "swift-metrics"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ],
      swiftSettings: staysOnCaller
    ),
    .target(
      name: "TollgateWorkers",
      dependencies: [
        "Telemetry",
        "TollgateAPI",
        "TollgateStore",
        .product(name: "AsyncAlgorithms", package: "swift-async-algorithms"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "Metrics", package: "swift-metrics"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ]
    ),
    .target(
      name: "PrivatePostgres",
      dependencies: [
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Subprocess", package: "swift-subprocess"),
      ]
    ),
    .executableTarget(
      name: "TollgateCommand",
      dependencies: [
        "PrivatePostgres",
        "TollgateWorkers",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Configuration", package: "swift-configuration"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ]
    ),
    .target(
      name: "TestSupport",
      dependencies: [
        "PrivatePostgres",
        "TollgateWorkers",
        .product(name: "HummingbirdTesting", package: "hummingbird"),
        .product(name: "JWTKit", package: "jwt-kit"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "Subprocess", package: "swift-subprocess"),
      ],
      path: "Tests/TestSupport"
    ),
    .target(
      name: "ReferenceLedger",
      path: "Tests/ReferenceLedger"
    ),
    .testTarget(
      name: "ReferenceLedgerTests",
      dependencies: ["ReferenceLedger"]
    ),
    .testTarget(
      name: "TelemetryTests",
      dependencies: [
        "Telemetry",
        .product(name: "Metrics", package: "swift-metrics"),
      ]
    ),
    .testTarget(
      name: "TollgateStoreTests",
      dependencies: ["TollgateStore"]
    ),
    .testTarget(
      name: "TollgateAPITests",
      dependencies: [
        "ReferenceLedger",
        "TollgateAPI",
        .product(name: "Metrics", package: "swift-metrics"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ]
    ),
    .testTarget(
      name: "TollgateTests",
      dependencies: ["Tollgate"],
      resources: [.copy("Fixtures")]
    ),
    .testTarget(
      name: "PrivatePostgresTests",
      dependencies: ["PrivatePostgres"]
    ),
    .testTarget(
      name: "IntegrationTests",
      dependencies: [
        "ReferenceLedger",
        "TestSupport",
        // Some tests run it.
        "TollgateCommand",
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "Subprocess", package: "swift-subprocess"),
      ],
      resources: [.copy("Fixtures")]
    ),
  ]
)

#if os(Linux)
  // The benchmark reads processor times from /proc.
  package.products.append(.executable(name: "tollgate-bench", targets: ["TollgateBench"]))
  package.targets += [
    .executableTarget(
      name: "TollgateBench",
      dependencies: [
        "Locking",
        "Postgres",
        "PrivatePostgres",
        "Tollgate",
        "TollgateStore",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ],
      resources: [.copy("Naive")]
    ),
    .testTarget(
      name: "TollgateBenchTests",
      dependencies: ["TollgateBench"]
    ),
  ]
#endif
