// swift-tools-version: 6.2
// The fuzzers are a package of their own, so that the product does not know of them. scripts/fuzz builds and runs them.
import PackageDescription

let package = Package(
    name: "Fuzzing",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "cluster-sync", path: ".."),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    ],
    targets: [
        .executableTarget(
            name: "Fuzz",
            dependencies: [
                .product(name: "CQLProtocol", package: "cluster-sync"),
                .product(name: "CQLSyntax", package: "cluster-sync"),
                .product(name: "SSTable", package: "cluster-sync"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]
        )
    ]
)
