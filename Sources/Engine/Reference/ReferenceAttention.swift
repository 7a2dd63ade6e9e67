import Glibc
import NNFormat

/// Attention and rotary embeddings of the reference, written from their formulas.
enum ReferenceAttention {
  static func run(_ node: ReferenceNode) -> [ReferenceTensor]? {
    switch node.node.operatorType {
    case "Attention": attention(node)
    case "RotaryEmbedding": [rotary(node)]
    default: nil
    }
  }

  /// A value of rank 3 with its heads as an axis of their own.
  private static func split(_ x: ReferenceTensor, heads: Int) -> ReferenceTensor {
    guard x.shape.count == 3 else { return x }
    let size = x.shape[2] / heads
    return .build(x.elementType, [x.shape[0], heads, x.shape[1], size]) { x.at([$0[0], $0[2], $0[1] * size + $0[3]]) }
  }

  private static func joined(_ x: ReferenceTensor, like shape: [Int]) -> ReferenceTensor {
    guard shape.count == 3 else { return x }
    let size = x.shape[3]
    return .build(x.elementType, [x.shape[0], x.shape[2], x.shape[1] * size]) { index in
      x.at([index[0], index[2] / size, index[1], index[2] % size])
    }
  }

  private static func appended(_ past: ReferenceTensor?, _ x: ReferenceTensor) -> ReferenceTensor {
    guard let past else { return x }
    var shape = x.shape
    shape[2] += past.shape[2]
    return .build(x.elementType, shape) { index in
      var later = index
      later[2] -= past.shape[2]
      return later[2] < 0 ? past.at(index) : x.at(later)
    }
  }

  private static func attention(_ node: ReferenceNode) -> [ReferenceTensor] {
    let query = split(node[0], heads: node.node.int("q_num_heads", default: 1))
    let keyHeads = node.node.int("kv_num_heads", default: 1)
    let past = node.has(4) ? node[4].shape[2] : 0
    let key = appended(node.has(4) ? node[4] : nil, split(node[1], heads: keyHeads))
    let value = appended(node.has(5) ? node[5] : nil, split(node[2], heads: keyHeads))
    let (rows, total, group) = (query.shape[2], key.shape[2], query.shape[1] / key.shape[1])
    let scale = Double(node.node.float("scale", default: Float(1 / sqrt(Double(query.shape[3])))))
    let cap = Double(node.node.float("softcap", default: 0))
    let (left, right) = (
      node.node.int("left_window_size", default: -1), node.node.int("right_window_size", default: -1)
    )
    func bias(_ index: [Int]) -> Double {
      let (batch, key) = (index[0], index[3])
      let place = index[2] + (node.has(6) ? node[6].ints[batch] - rows : past)
      if node.node.int("is_causal", default: 0) != 0, key > place { return -.infinity }
      if left >= 0, key < place - left { return -.infinity }
      if right >= 0, key > place + right { return -.infinity }
      if node.has(6), key >= node[6].ints[batch] { return -.infinity }
      guard node.has(3) else { return 0 }
      let mask = node[3]
      if key >= mask.shape[mask.shape.count - 1] { return -.infinity }
      let stated = mask.broadcastAt(index)
      return mask.elementType == .bool ? (stated != 0 ? 0 : -.infinity) : stated
    }
    let shape = [query.shape[0], query.shape[1], rows, total]
    let product = ReferenceTensor.build(.float64, shape) { index in
      scale
        * (0..<query.shape[3]).reduce(0) { sum, d in
          sum + query.at([index[0], index[1], index[2], d]) * key.at([index[0], index[1] / group, index[3], d])
        }
    }
    let capped = ReferenceTensor.build(.float64, shape) { cap > 0 ? cap * tanh(product.at($0) / cap) : product.at($0) }
    let biased = ReferenceTensor.build(.float64, shape) { capped.at($0) + bias($0) }
    let probabilities = ReferenceTensor.build(.float64, shape) { index in
      let line = (0..<total).map { biased.at(Array(index.dropLast()) + [$0]) }
      guard let highest = line.max(), highest > -.infinity else { return 0 }
      return exp(biased.at(index) - highest) / line.reduce(0) { $0 + exp($1 - highest) }
    }
    let output = ReferenceTensor.build(node[0].elementType, Array(query.shape.prefix(3)) + [value.shape[3]]) { index in
      (0..<total).reduce(0) { sum, place in
        sum + probabilities.at(Array(index.prefix(3)) + [place])
          * value.at([index[0], index[1] / group, place, index[3]])
      }
    }
    let shown = [product, capped, biased, probabilities][node.node.int("qk_matmul_output_mode", default: 0)]
    return [
      joined(output, like: node[0].shape), key, value, ReferenceTensor(node[0].elementType, shape, shown.values),
    ]
  }

  private static func rotary(_ node: ReferenceNode) -> ReferenceTensor {
    let x = split(node[0], heads: node.node.int("num_heads", default: 1))
    let stated = node.node.int("rotary_embedding_dim", default: 0)
    let half = (stated == 0 ? x.shape[3] : stated) / 2
    let isInterleaved = node.node.int("interleaved", default: 0) != 0
    let result = ReferenceTensor.build(x.elementType, x.shape) { index in
      guard index[3] < 2 * half else { return x.at(index) }
      let pair = isInterleaved ? index[3] / 2 : index[3] % half
      let isFirst = isInterleaved ? index[3] % 2 == 0 : index[3] < half
      var partner = index
      partner[3] += (isInterleaved ? 1 : half) * (isFirst ? 1 : -1)
      let place = [index[0], index[2]]
      let line = node.has(3) ? [Int(node[3].at(place))] : place
      let (cosine, sine) = (node[1].at(line + [pair]), node[2].at(line + [pair]))
      return cosine * x.at(index) + (isFirst ? -sine : sine) * x.at(partner)
    }
    return joined(result, like: node[0].shape)
  }
}
