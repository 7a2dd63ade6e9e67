import Testing

/// Operators that work element by element, and reductions.
@Suite struct ElementwiseInferenceTests {
  @Test(
    "broadcasting",
    arguments: InferenceCase.table(
      """
      Add : f[N,8] | f[8] : : f[N,8]
      Add : f[N,1] | f[1,8] : : f[N,8]
      Add : f[N] | f[N] : : f[N]
      Add : f[N] | f[1] : : f[N]
      Add : f[N] | f[M] : : f[?]
      Add : f[N] | f[4] : : f[4]
      Add : f[?] | f[1] : : f[?]
      Add : f[?] | f[4] : : f[4]
      Add : f[N] | f[?] : : f[?]
      Add : f[2,3] | f[] : : f[2,3]
      Add : f[0] | f[1] : : f[0]
      Add : f[2,3] | ? : : f
      Add : f[2,3] | f[2] : : !mismatch
      Add : f[0] | f[3] : : !mismatch
      Add : f[2] | d[2] : : !mismatch
      Add : l[2]{N,3} | l[]{0} : : l[2]{N,3}
      Add : l[2]{1,2} | l[2]{10,20} : : l[2]{11,22}
      Add : l[1]{9223372036854775807} | l[1]{1} : : l[1]{?}
      Sub : l[]{N} | l[]{N} : : l[]{0}
      Sub : l[1]{-9223372036854775808} | l[1]{1} : : l[1]{?}
      Mul : l[2]{N,3} | l[]{1} : : l[2]{N,3}
      Mul : l[2]{N,3} | l[]{2} : : l[2]{?,6}
      Mul : i[1]{65536} | i[1]{65536} : : i[1]{?}
      Mul : l[1]{4611686018427387904} | l[1]{4} : : l[1]{?}
      Div : l[2]{7,-7} | l[]{2} : : l[2]{3,-3}
      Div : l[1]{7} | l[]{0} : : l[1]{?}
      Div : l[1]{-9223372036854775808} | l[]{-1} : : l[1]{?}
      Max : l[2]{3,9} | l[2]{5,5} | l[]{4} : : l[2]{5,9}
      Min : f[N,4] | f[4] : : f[N,4]
      Add@6 : f[2,3] | f[3] : broadcast=1 : f[2,3]
      Sum : f[N,4] | f[4] | f[1,1] : : f[N,4]
      Sum@7 : f[N,4] | f[2,4] : : f[2,4]
      Sum@7 : f[2,4] | f[4] : : !mismatch
      Pow : f[N,4] | l[] : : f[N,4]
      Pow@7 : f[N,4] | l[] : : !mismatch
      Mod : l[N] | l[] : fmod=0 : l[N]
      PRelu : f[N,4] | f[4] : : f[N,4]
      PRelu : f[N,1] | f[4] : : !mismatch
      PRelu : f[2,4] | f[3] : : !mismatch
      """)) func broadcasting(_ example: InferenceCase)
  { example.check() }

  @Test(
    "activations",
    arguments: InferenceCase.table(
      """
      Relu : f[N,8] : : f[N,8]
      Relu@5 : f[N,8] : consumed_inputs=[0] : f[N,8]
      Relu : f[N,8] : consumed_inputs=[0] : !malformed
      Relu : f[N,8] : __private=1 : f[N,8]
      Relu : f[N,8] | f[N,8] : : !malformed
      Relu : _ : : !malformed
      LeakyRelu : f : alpha=0.5 : f
      LeakyRelu : f[2] : alpha=1 : !malformed
      Softmax@11 : f[N,8] : : f[N,8]
      Softmax@11 : f[N] : : !mismatch
      Softmax@13 : f[N] : : f[N]
      Softmax@13 : f[N,8] : axis=99 : !mismatch
      LogSoftmax : f[N,8] : axis=-9223372036854775808 : !mismatch
      Gelu : h[N,8] : approximate=tanh : h[N,8]
      Gelu@19 : f[N,8] : : ?
      Swish@24 : f[N,8] : alpha=1.5 : f[N,8]
      Clip@6 : f[N] : min=0.5;max=6.5 : f[N]
      Clip@11 : f[N] : min=0.5 : !malformed
      Clip@11 : f[N] | _ | f[] : : f[N]
      Clip@13 : f[N] | d[] : : !mismatch
      Dropout@7 : f[N,8] : ratio=0.5 : f[N,8] | f[N,8]
      Dropout@10 : f[N,8] : ratio=0.5 : f[N,8] | b[N,8]
      Dropout@13 : f[N,8] | f[] | b[] : seed=1 : f[N,8] | b[N,8]
      Dropout@13 : f[N,8] : ratio=0.5 : !malformed
      """)) func activations(_ example: InferenceCase)
  { example.check() }

  @Test(
    "comparisons and logic",
    arguments: InferenceCase.table(
      """
      Less : f[N,8] | f[8] : : b[N,8]
      Less : f[N] | l[N] : : !mismatch
      GreaterOrEqual : f[2] | f[3] : : !mismatch
      Equal : l[3]{N,-1,4} | l[]{-1} : : b[3]{0,1,0}
      Equal : l[1]{N} | l[]{1} : : b[1]{?}
      Not : b[N] : : b[N]
      Not : f[N] : : !mismatch
      Xor : b[N,1] | b[4] : : b[N,4]
      IsNaN : f[N] : : b[N]
      IsInf : f[N] : detect_negative=0 : b[N]
      Where : b[N,1] | f[4] | f[] : : f[N,4]
      Where : f[N] | f[N] | f[N] : : !mismatch
      Where : b[2]{1,0} | l[2]{N,3} | l[]{7} : : l[2]{N,7}
      Where : b[2]{?,0} | l[2]{N,3} | l[2]{N,7} : : l[2]{N,7}
      """)) func comparisons(_ example: InferenceCase)
  { example.check() }

  @Test(
    "reductions",
    arguments: InferenceCase.table(
      """
      ReduceMean@13 : f[N,8,4] : axes=[1,-1];keepdims=0 : f[N]
      ReduceMean@13 : f[N,8,4] : axes=[-1] : f[N,8,1]
      ReduceMean@13 : f[N,8] : : f[1,1]
      ReduceMean@18 : f[N,8,4] | l[1]{-1} : keepdims=0 : f[N,8]
      ReduceMean@18 : f[N,8,4] | l[1] : keepdims=0 : f[?,?]
      ReduceMean@18 : f[N,8,1] | l[1] : : f[?,?,1]
      ReduceMean@18 : f[N,8] | l : keepdims=0 : f
      ReduceMean@18 : f[N,8] : axes=[1] : !malformed
      ReduceMean@17 : f[N,8] | l[1]{1} : : !malformed
      ReduceSum@13 : f[N,8] | l[1]{1} : : f[N,1]
      ReduceSum@13 : f[N,8] : noop_with_empty_axes=1 : f[N,8]
      ReduceSum@13 : f[N,8] | l[0]{} : keepdims=0 : f[]
      ReduceSum@11 : f[N,8] : axes=[2] : !mismatch
      ReduceMax : f[N,8] | l[1]{-3} : : !mismatch
      ReduceProd : l[3]{N,1,1} : keepdims=0 : l[]{N}
      ReduceProd : l[2]{6,7} | l[1]{0} : keepdims=1 : l[1]{42}
      ReduceProd : l[2]{4611686018427387904,4} : keepdims=0 : l[]{?}
      ReduceL2 : f[] : : f[]
      ArgMax : f[N,8] : axis=-1;keepdims=0 : l[N]
      ArgMax : f[N,8] : : l[1,8]
      ArgMin : f[N,8] : axis=2 : !mismatch
      ArgMax@11 : f[N,8] : select_last_index=1 : !malformed
      """)) func reductions(_ example: InferenceCase)
  { example.check() }
}
