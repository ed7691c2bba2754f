// swift-tools-version: 6.2
// The manifest is where module borders are enforced: a module can only import what it names here.
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// Modules on the data path: release builds drop the dynamic exclusivity checks, debug and sanitizer builds keep them.
let hotPath: [SwiftSetting] =
    settings + [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]

let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let systemPackage: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")

let package = Package(
    name: "cluster-sync",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "cluster-sync", targets: ["ClusterSync"]),
        // For the fuzzers, which are a package of their own.
        .library(name: "CQLProtocol", targets: ["CQLProtocol"]),
        .library(name: "CQLSyntax", targets: ["CQLSyntax"]),
        .library(name: "SSTable", targets: ["SSTable"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-crypto", "3.12.3"..<"5.0.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2", traits: ["MaxLogLevelDebug"]),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: [.defaults, "YAML"]),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.28.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        // MARK: System libraries
        .systemLibrary(
            name: "CDeflate",
            pkgConfig: "libdeflate",
            providers: [.apt(["libdeflate-dev"]), .brew(["libdeflate"])]
        ),
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"]), .brew(["lz4"])]),
        .systemLibrary(name: "CSnappy", providers: [.apt(["libsnappy-dev"]), .brew(["snappy"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]),
        .systemLibrary(
            name: "CXXHash",
            providers: [.apt(["libxxhash-dev"]), .brew(["xxhash"])]
        ),

        // MARK: Modules
        .target(name: "CQLProtocol", dependencies: [nioCore, "CLZ4", "CSnappy"], swiftSettings: hotPath),
        .target(name: "CQLSyntax", swiftSettings: settings),
        .target(
            name: "CQLClient",
            dependencies: ["CQLProtocol", nioCore, nioPosix, nioSSL, logging],
            swiftSettings: hotPath
        ),
        .target(name: "ShadowJournal", dependencies: ["CXXHash", systemPackage], swiftSettings: hotPath),
        .target(name: "DualWriteCore", dependencies: ["CQLProtocol", "CQLSyntax"], swiftSettings: hotPath),
        .target(
            name: "DualWriter",
            dependencies: [
                "CQLProtocol", "CQLSyntax", "CQLClient", "DualWriteCore", "ShadowJournal", systemPackage, nioCore,
                nioPosix, logging, lifecycle,
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: hotPath
        ),
        .target(
            name: "TokenRanges",
            dependencies: ["CQLClient", "CQLProtocol", nioCore, logging, grdb],
            swiftSettings: settings
        ),
        .target(
            name: "SharedState",
            dependencies: ["CQLClient", "CQLProtocol", "DualWriteCore", nioCore, logging],
            swiftSettings: settings
        ),
        .target(
            name: "SSTable",
            dependencies: ["CQLProtocol", nioCore, "CDeflate", "CLZ4", "CSnappy", "CZstd"],
            swiftSettings: hotPath
        ),
        .target(
            name: "LiveTables",
            dependencies: ["CQLClient", "CQLProtocol", nioCore],
            swiftSettings: settings
        ),
        .target(
            name: "SSTableLoader",
            dependencies: ["SSTable", "LiveTables", "CQLClient", "CQLProtocol", "TokenRanges", nioCore, logging],
            swiftSettings: settings
        ),
        .target(
            name: "DualReader",
            dependencies: ["LiveTables", "CQLClient", "CQLProtocol", "CXXHash", "TokenRanges", nioCore, logging],
            swiftSettings: settings
        ),
        .target(
            name: "Preflight",
            dependencies: ["LiveTables", "SSTableLoader", "CQLClient", "CQLProtocol"],
            swiftSettings: settings
        ),
        .target(
            name: "EmbeddedNode",
            dependencies: ["CQLProtocol", "CQLSyntax", nioCore, nioPosix, nioSSL, logging],
            swiftSettings: settings
        ),
        .target(
            name: "Operations",
            dependencies: [
                logging, lifecycle, nioCore,
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
            ],
            // The live page is part of the program: nothing has to be installed beside it.
            resources: [.embedInCode("Page/Files")],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "ClusterSync",
            dependencies: [
                "CQLProtocol", "CQLSyntax", "CQLClient", "DualReader", "DualWriteCore", "DualWriter", "EmbeddedNode",
                "LiveTables", "Operations", "Preflight", "SSTable", "SSTableLoader", "ShadowJournal", "SharedState",
                "TokenRanges", systemPackage, nioCore,
                nioPosix, nioSSL, logging, lifecycle,
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "Yams", package: "Yams"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),

        // MARK: Tests
        .target(name: "TestSupport", dependencies: [logging], path: "Tests/TestSupport", swiftSettings: settings),
        .testTarget(
            name: "CQLProtocolTests",
            dependencies: ["CQLProtocol", "TestSupport", nioCore],
            swiftSettings: settings
        ),
        .testTarget(name: "CQLSyntaxTests", dependencies: ["CQLSyntax", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "CQLClientTests",
            dependencies: ["TestSupport", "CQLClient", "CQLProtocol", nioCore, nioPosix, nioEmbedded, logging],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ShadowJournalTests",
            dependencies: ["TestSupport", "ShadowJournal", systemPackage],
            swiftSettings: settings
        ),
        .testTarget(
            name: "TokenRangesTests",
            dependencies: [
                "TokenRanges", "TestSupport", "CQLClient", "CQLProtocol", "EmbeddedNode", nioCore, nioPosix, logging,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SharedStateTests",
            dependencies: [
                "SharedState", "TestSupport", "CQLClient", "CQLProtocol", "DualWriteCore", "EmbeddedNode", nioCore,
                nioPosix, logging,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SSTableTests",
            dependencies: ["SSTable", "TestSupport", "CQLProtocol", nioCore],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SSTableLoaderTests",
            dependencies: [
                "SSTableLoader", "SSTable", "LiveTables", "TokenRanges", "CQLClient", "EmbeddedNode", "TestSupport",
                "CQLProtocol", nioCore, nioPosix, logging,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "DualReaderTests",
            dependencies: [
                "DualReader", "LiveTables", "TokenRanges", "CQLClient", "EmbeddedNode", "TestSupport", "CQLProtocol",
                nioCore, nioPosix, logging,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "PreflightTests",
            dependencies: ["Preflight", "CQLClient", "CQLProtocol"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "DualWriteCoreTests",
            dependencies: ["TestSupport", "DualWriteCore", "CQLProtocol", "CQLSyntax"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "DualWriterTests",
            dependencies: [
                "DualWriter", "DualWriteCore", "CQLClient", "CQLProtocol", "CQLSyntax", "ShadowJournal", systemPackage,
                nioCore, nioPosix, nioEmbedded, logging,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "EmbeddedNodeTests",
            dependencies: ["EmbeddedNode", "CQLProtocol", "CQLSyntax", nioCore, nioPosix, nioEmbedded, logging],
            swiftSettings: settings
        ),
        .testTarget(
            name: "OperationsTests",
            dependencies: [
                "Operations", logging, lifecycle, nioCore, nioPosix, nioEmbedded,
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ClusterSyncTests",
            dependencies: [
                "ClusterSync", "TestSupport", "CQLClient", "CQLProtocol", "DualReader", "DualWriteCore", "DualWriter",
                "LiveTables", "Operations", "SSTableLoader", "ShadowJournal", "SharedState", "TokenRanges",
                systemPackage, nioCore, nioSSL, logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings
        ),
        .testTarget(name: "TidyTests", swiftSettings: settings),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "ClusterSync", "TestSupport", "CQLProtocol", "CQLSyntax", "CQLClient", "DualReader", "DualWriteCore",
                "DualWriter",
                "EmbeddedNode", "LiveTables", "Operations", "ShadowJournal", "TokenRanges", systemPackage, nioCore,
                nioPosix, nioSSL, logging,
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
    ]
)
