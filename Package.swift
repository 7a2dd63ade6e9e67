// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [.swiftLanguageMode(.v6), .strictMemorySafety()]

let package = Package(
  name: "nnfmt",
  products: [
    .library(name: "NNFormat", targets: ["NNFormat"]),
    .library(name: "NNEngine", targets: ["NNEngine"]),
    .library(name: "NNTraining", targets: ["NNTraining"]),
    .executable(name: "nnfmt", targets: ["nnfmt"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
  ],
  targets: [
    .systemLibrary(
      name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),
    .systemLibrary(
      name: "CProtobufC", pkgConfig: "libprotobuf-c", providers: [.apt(["libprotobuf-c-dev"])]),
    .systemLibrary(
      name: "CZip", pkgConfig: "minizip", providers: [.apt(["libminizip-dev"])]),
    .systemLibrary(
      name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .systemLibrary(
      name: "CTurboJPEG", pkgConfig: "libturbojpeg", providers: [.apt(["libturbojpeg0-dev"])]),
    .target(
      name: "COnnx", dependencies: ["CProtobufC"], exclude: ["onnx.proto", "regenerate"]),
    .target(name: "CKernels"),
    .target(name: "CFile"),
    .target(name: "CSandbox"),
    .target(
      name: "NNFormat",
      dependencies: [
        "CFile", "CHDF5", "COnnx", "CSandbox", "CZip",
        .product(name: "OrderedCollections", package: "swift-collections"),
      ],
      path: "Sources/Format", swiftSettings: strict),
    .target(
      name: "NNEngine", dependencies: ["NNFormat", "CKernels"], path: "Sources/Engine",
      swiftSettings: strict),
    .target(
      name: "NNTraining", dependencies: ["NNFormat", "NNEngine", "CPNG", "CTurboJPEG"], path: "Sources/Training",
      swiftSettings: strict),
    .executableTarget(
      name: "nnfmt",
      dependencies: [
        "NNFormat", "NNEngine", "NNTraining",
        .product(name: "OrderedCollections", package: "swift-collections"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Sources/Tools", swiftSettings: strict),
    .target(name: "TestSupport", dependencies: ["NNFormat"], path: "Tests/TestSupport", swiftSettings: strict),
    .executableTarget(
      name: "Mutate", dependencies: ["NNFormat", "TestSupport"], path: "Tests/Mutate", swiftSettings: strict),
    .target(
      name: "FuzzTargets", dependencies: ["NNFormat", "TestSupport"], path: "Fuzz/Targets", swiftSettings: strict),
    .testTarget(
      name: "NNFormatTests", dependencies: ["FuzzTargets", "NNFormat", "TestSupport"], swiftSettings: strict),
    .target(name: "CAllocationCount", path: "Tests/CAllocationCount"),
    .executableTarget(
      name: "AllocationProbe", dependencies: ["CAllocationCount", "NNEngine", "NNFormat"],
      path: "Tests/AllocationProbe", swiftSettings: strict),
    .testTarget(
      name: "NNEngineTests", dependencies: ["AllocationProbe", "NNEngine", "NNFormat", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "NNTrainingTests", dependencies: ["NNTraining", "NNEngine", "NNFormat", "TestSupport"],
      swiftSettings: strict),
    .testTarget(name: "KernelTests", dependencies: ["NNEngine"], swiftSettings: strict),
    .testTarget(
      name: "FixtureTests", dependencies: ["NNFormat", "NNEngine", "NNTraining", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "ToolsTests", dependencies: ["Mutate", "nnfmt", "NNEngine", "NNFormat", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "InteropTests", dependencies: ["NNEngine", "NNFormat", "NNTraining", "TestSupport"], exclude: ["Peers"],
      swiftSettings: strict),
  ]
)

// Set by scripts/sanitize thread: the engine and its tests are all that is built.
if Context.environment["NNFMT_ENGINE_TESTS"] != nil {
  let kept: Set = [
    "CHDF5", "CProtobufC", "CZip", "COnnx", "CKernels", "CFile", "CSandbox", "NNFormat", "NNEngine", "TestSupport",
    "CAllocationCount", "AllocationProbe", "NNEngineTests", "KernelTests",
  ]
  package.targets.removeAll { !kept.contains($0.name) }
  package.products.removeAll { !kept.contains($0.name) }
}

// Set by scripts/fuzz: the program has libFuzzer's `main`, which is there only with its sanitizer.
if Context.environment["NNFMT_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(
      name: "Fuzzer", dependencies: ["FuzzTargets"], path: "Fuzz/Fuzzer",
      swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])]))
}
