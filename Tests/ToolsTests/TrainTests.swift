import NNFormat
import TestSupport
import Testing

/// `nnfmt create` and `nnfmt train` as their users run them.
@Suite struct TrainTests {
  private func train(_ arguments: String...) throws -> Tool.Result { try Tool.run(["train"] + arguments) }

  private func json(_ arguments: String...) throws -> JSONValue {
    let result = try Tool.run(["train"] + arguments + ["--json"])
    try #require(result.status == 0, "\(result.error)")
    return try JSONValue.parse(result.output)
  }

  @Test func createsANetwork() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("net.h5")
    let result = try Tool.run([
      "create", path, "--input", "4,4", "--layers", "flatten, dense 8 relu he_normal, batchnorm, dense 2 softmax",
      "--loss", "categorical_crossentropy", "--metrics", "accuracy,top2", "--json",
    ])
    #expect(result.status == 0 && result.error.isEmpty)
    let json = try JSONValue.parse(result.output)
    #expect(json.object?.keys.first == "schema" && json["schema"]?.string == "nnfmt.create/1")
    #expect(json["parameters"]?.int == 16 * 8 + 8 + 4 * 8 + 8 * 2 + 2)
    let report = try JSONValue.parse(try Tool.run(["inspect", path, "--json"]).output)
    #expect(report["training"]?["loss"]?.string == "categorical_crossentropy")
  }

  @Test(arguments: [
    (["--input", "4", "--layers", "dense 8 rely"], "rely"), (["--input", "4", "--layers", "dense -3"], "dense -3"),
    (["--input", "4", "--layers", ""], "--layers"), (["--input", "4,4", "--layers", "reshape 5x5"], "5"),
    (["--input", "0", "--layers", "dense 2"], "--input"),
    (["--input", "4", "--layers", "dense 2", "--loss", "hope"], "hope"),
  ])
  func createRefuses(_ arguments: [String], _ named: String) throws {
    let folder = try TemporaryFolder()
    let result = try Tool.run(["create", folder.file("net.keras")] + arguments)
    #expect(result.status == 2 && result.errorLines.count == 1 && result.error.contains(named), "\(result.error)")
    #expect(try folder.names == [])
  }

  @Test func trainsOnATable() throws {
    let folder = try TemporaryFolder()
    let net = try TrainingFiles.network(folder)
    let data = try folder.write(TrainingFiles.table(), to: "rows.csv")
    let (out, history) = (folder.file("out.keras"), folder.file("history.csv"))
    let json = try json(
      net, "--data", data, "--target", "kind", "--validation-split", "0.2", "--epochs", "40", "--batch", "8",
      "--metrics",
      "accuracy", "--learning-rate", "0.02", "--output", out, "--history", history)
    #expect(json.object?.keys.first == "schema" && json["schema"]?.string == "nnfmt.train/1")
    let epochs = json["epochs"]?.array ?? []
    #expect(epochs.count == 40 && epochs.last?["val_accuracy"]?.double ?? 0 > 0.9)
    #expect(epochs.last?["loss"]?.double ?? 9 < epochs.first?["loss"]?.double ?? 0)
    let text = String(decoding: try TemporaryFolder.bytes(of: history), as: UTF8.self).split(separator: "\n")
    #expect(text.count == 41)
    #expect(text[0] == "epoch,seconds,rows_per_s,loss,accuracy,val_loss,val_accuracy,learning_rate")
    let report = try JSONValue.parse(try Tool.run(["inspect", out, "--json"]).output)
    #expect(report["training"]?["loss"]?.string == "sparse_categorical_crossentropy")
  }

  @Test func everySettingIsTaken() throws {
    let folder = try TemporaryFolder()
    let net = try TrainingFiles.network(folder)
    let data = try folder.write(TrainingFiles.table(), to: "rows.csv")
    let base = [net, "--data", data, "--epochs", "3", "--batch", "8", "--output", folder.file("out.keras"), "--json"]
    func losses(_ more: String...) throws -> [Double] {
      let result = try Tool.run(["train"] + base + more)
      try #require(result.status == 0, "\(more): \(result.error)")
      return try JSONValue.parse(result.output)["epochs"]?.array?.compactMap { $0["loss"]?.double } ?? []
    }
    let plain = try losses()
    #expect(plain.count == 3)
    #expect(try losses() == plain, "the same command gives the same figures")
    for setting in [
      ["--schedule", "exponential 5 0.5"], ["--schedule", "cosine 20 warmup 5"], ["--schedule", "steps 5,9 0.1,0.01"],
      ["--schedule", "polynomial 9 0.0001 2"], ["--schedule", "inverse 5 0.5"], ["--optimizer", "sgd"],
      ["--weight-decay", "0.1"], ["--class-weight", "bee=3"], ["--seed", "9"], ["--no-shuffle"],
      ["--loss", "categorical_crossentropy", "--label-smoothing", "0.1"], ["--freeze", "dense"],
    ] {
      let result = try Tool.run(["train"] + base + setting)
      try #require(result.status == 0, "\(setting): \(result.error)")
      let figures = try JSONValue.parse(result.output)["epochs"]?.array?.compactMap { $0["loss"]?.double }
      #expect(figures != plain, "\(setting)")
    }
    // Adam divides by the gradient's size, so that a limit shows with plain steps only.
    let steps = try losses("--optimizer", "sgd")
    #expect(try losses("--optimizer", "sgd", "--clip-norm", "0.01") != steps)
    #expect(try losses("--optimizer", "sgd", "--clip-value", "0.001") != steps)
    #expect(try losses("--optimizer", "sgd", "--global-clip-norm", "0.01") != steps)
  }

  @Test func theRateFollowsTheSchedule() throws {
    let folder = try TemporaryFolder()
    let json = try json(
      try TrainingFiles.network(folder), "--data", try folder.write(TrainingFiles.table(), to: "rows.csv"), "--epochs",
      "3",
      "--batch", "60", "--learning-rate", "0.1", "--schedule", "exponential 1 0.5", "--output", folder.file("out.keras")
    )
    let rates = json["epochs"]?.array?.compactMap { $0["learning_rate"]?.double } ?? []
    #expect(rates == [0.05, 0.025, 0.0125])
  }

  @Test func endsEarlyLowersTheRateAndKeepsTheBest() throws {
    let folder = try TemporaryFolder()
    let data = try folder.write(TrainingFiles.table(), to: "rows.csv")
    // Steps this large make the loss worse.
    let result = try Tool.run([
      "train", try TrainingFiles.network(folder), "--data", data, "--epochs", "60", "--batch", "60", "--optimizer",
      "sgd",
      "--learning-rate", "30", "--patience", "4", "--plateau", "2", "--plateau-factor", "0.25", "--best", "--output",
      folder.file("out.keras"), "--json",
    ])
    try #require(result.status == 0, "\(result.error)")
    let epochs = try JSONValue.parse(result.output)["epochs"]?.array ?? []
    #expect(epochs.count < 60 && result.error.contains("stopped early"))
    let rates = Set(epochs.compactMap { $0["learning_rate"]?.double })
    #expect(rates.contains(30) && rates.contains(7.5))
  }

  @Test func skipsAndCountsBadRows() throws {
    let folder = try TemporaryFolder()
    let net = try TrainingFiles.network(folder)
    let data = try folder.write(TrainingFiles.table(missing: 4), to: "rows.csv")
    let refused = try train(net, "--data", data, "--output", folder.file("out.keras"))
    #expect(refused.status == 2 && refused.errorLines.count == 1)
    #expect(refused.error.contains("rows.csv") && refused.error.contains("line 6"))
    let json = try json(net, "--data", data, "--output", folder.file("out.keras"), "--skip-bad")
    #expect(json["skipped"]?.int == 1)
  }

  @Test func aValidationTableHasTheClassesOfTheOther() throws {
    let folder = try TemporaryFolder()
    let net = try TrainingFiles.network(folder)
    let data = try folder.write(TrainingFiles.table(), to: "rows.csv")
    // Without the first class, whose absence must not renumber the others.
    let lines = TrainingFiles.table(rows: 90).split(separator: "\n").filter { !$0.hasSuffix("ant") }
    let some = try folder.write(lines.joined(separator: "\n") + "\n", to: "some.csv")
    let arguments = ["--epochs", "40", "--batch", "8", "--metrics", "accuracy", "--learning-rate", "0.02"]
    let result = try Tool.run(
      ["train", net, "--data", data, "--validation", some, "--output", folder.file("out.keras"), "--json"] + arguments)
    try #require(result.status == 0, "\(result.error)")
    #expect(try JSONValue.parse(result.output)["epochs"]?.array?.last?["val_accuracy"]?.double ?? 0 > 0.9)
    let other = try folder.write("a,b,c,kind\n1,2,3,dog\n", to: "other.csv")
    let refused = try train(net, "--data", data, "--validation", other, "--output", folder.file("out.keras"))
    #expect(refused.status == 2 && refused.error.contains("other.csv") && refused.error.contains("line 2"))
  }

  @Test func namesTheRowWhoseClassIsMissing() throws {
    let folder = try TemporaryFolder()
    let data = try folder.write("a,b,c,y\n1,2,3,0\n4,5,6,3\n", to: "rows.csv")
    let result = try train(
      try TrainingFiles.network(folder), "--data", data, "--output", folder.file("out.keras"))
    #expect(result.status == 2 && result.errorLines.count == 1)
    #expect(result.error.contains("rows.csv") && result.error.contains("row 2") && result.error.contains("label 3"))
  }

  @Test func namesEpochBatchAndNodeOfALossThatIsNoNumber() throws {
    let folder = try TemporaryFolder()
    let data = try folder.write("a,b,c,y\n1,2,3,0\nnan,5,6,1\n", to: "rows.csv")
    let net = try TrainingFiles.network(folder)
    let result = try train(net, "--data", data, "--no-shuffle", "--batch", "1", "--output", folder.file("out.keras"))
    #expect(result.status == 2 && result.errorLines.count == 1)
    #expect(
      result.error.contains("epoch 1") && result.error.contains("batch 2") && result.error.contains("dense"),
      "\(result.error)")
    #expect(try folder.names.contains("out.keras") == false)
  }

  @Test(arguments: [
    (["--loss", "hope"], "hope"), (["--optimizer", "muon"], "muon"), (["--metrics", "luck"], "luck"),
    (["--schedule", "weekly"], "weekly"), (["--schedule", "cosine 0"], "cosine 0"),
    (["--label-smoothing", "0.1"], "smoothing"),
    (["--label-smoothing", "1"], "--label-smoothing"), (["--clip-norm", "1", "--clip-value", "1"], "exclude"),
    (["--clip-norm", "0"], "--clip-norm"), (["--learning-rate", "-1"], "--learning-rate"),
    (["--batch", "0"], "--batch"),
    (["--validation-split", "1"], "--validation-split"), (["--class-weight", "bee"], "--class-weight"),
    (["--plateau-factor", "0.5"], "--plateau"), (["--patience", "-1"], "--patience"),
    (["--monitor", "mood", "--patience", "1"], "mood"),
    (["--target", "d"], "\"d\""), (["--weight-decay", "-1"], "--weight-decay"),
  ])
  func refuses(_ arguments: [String], _ named: String) throws {
    let folder = try TemporaryFolder()
    let net = try TrainingFiles.network(folder)
    let data = try folder.write(TrainingFiles.table(), to: "rows.csv")
    let result = try Tool.run(["train", net, "--data", data, "--output", folder.file("out.keras")] + arguments)
    #expect(result.status == 2 && result.error.contains(named), "\(result.error)")
    #expect(result.errorLines.count == 1)
    #expect(try folder.names.contains("out.keras") == false)
  }

  @Test func imagesInFolders() throws {
    let folder = try TemporaryFolder()
    let net = folder.file("net.keras")
    #expect(
      try Tool.run(["create", net, "--input", "4,4,1", "--layers", "rescaling 0.004, flatten, dense 2 softmax"]).status
        == 0)
    let out = folder.file("out.keras")
    let images = try TrainingFiles.images(folder, secondClass: ["b.png": TrainingFiles.light])
    let epochs = try json(net, "--data", images, "--epochs", "60", "--learning-rate", "0.1", "--output", out)["epochs"]
    #expect(epochs?.array?.last?["loss"]?.double ?? 9 < 0.1)
    let weighted = try json(
      net, "--data", images, "--epochs", "60", "--learning-rate", "0.1", "--output", out, "--class-weight", "light=5")
    #expect(weighted["epochs"] != nil && weighted["epochs"]?[0]?["loss"] != epochs?[0]?["loss"])
    let broken = try TrainingFiles.images(folder, secondClass: ["b.png": Array(TrainingFiles.light.prefix(40))])
    let refused = try train(net, "--data", broken, "--output", out)
    #expect(refused.status == 2 && refused.errorLines.count == 1 && refused.error.contains("light/b.png"))
  }

  @Test func anEmptyClassFolderIsNamed() throws {
    let folder = try TemporaryFolder()
    let net = folder.file("net.keras")
    _ = try Tool.run(["create", net, "--input", "4,4,1", "--layers", "flatten, dense 2 softmax"])
    let result = try train(
      net, "--data", try TrainingFiles.images(folder, secondClass: [:]), "--output", folder.file("out.keras"))
    #expect(result.status == 2 && result.errorLines.count == 1 && result.error.contains("images/light"))
  }

  /// Files whose training state no training comes to: one line that names the file, and nothing written.
  @Test func hostileTrainingStatesAreRefused() throws {
    let folder = try TemporaryFolder()
    let data = try folder.write(TrainingFiles.table(), to: "rows.csv")
    let trained = folder.file("trained.keras")
    let first = try Tool.run(["train", try TrainingFiles.network(folder), "--data", data, "--output", trained])
    try #require(first.status == 0, "\(first.error)")
    guard case .keras(let good) = try ModelFile.read(trained).content,
      let optimizer = try good.compileSettings().optimizer
    else {
      Issue.record("the trained file states no optimizer")
      return
    }
    var models: [(word: String, model: KerasModel)] = []
    for step in [Int64.min, -5, .max - 1023, .max] {
      var model = good
      model.optimizer?.variables[0].value = .success(Tensor([step], shape: []))
      models.append(("iteration", model))
    }
    for count in [Int.min, -5, 0, 1, 1 << 40, 1 << 62] {
      let metric = Metric("curve", .areaUnderCurve(thresholds: count))
      models.append(
        ("thresholds", good.compiled(loss: .categoricalCrossEntropy, optimizer: optimizer, metrics: [metric])))
    }
    let metric = Metric("error", .rootMeanSquaredError)
    models.append(
      (
        "class numbers",
        good.compiled(loss: Loss(.sparseCategoricalCrossEntropy), optimizer: optimizer, metrics: [metric])
      ))
    for (index, (word, model)) in models.enumerated() {
      let path = folder.file("\(index).keras")
      try KerasWriter.write(model, to: path)
      let before = try folder.names
      try expectFailure(
        ["train", path, "--data", data, "--epochs", "3", "--quiet", "--output", folder.file("out.keras")], [path, word])
      #expect(try folder.names == before)
    }
  }
}
