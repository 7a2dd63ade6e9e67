import NNFormat
import Testing

/// Products of matrices, normalisations, quantisation, constants and casts.
@Suite struct LayerInferenceTests {
  @Test(
    "products of matrices",
    arguments: InferenceCase.table(
      """
      Gemm : f[N,8] | f[8,4] | f[4] : : f[N,4]
      Gemm : f[8,N] | f[4,8] : transA=1;transB=1 : f[N,4]
      Gemm : f | f[8,4] : : f[?,4]
      Gemm : f[N,8] | f[7,4] : : !mismatch
      Gemm : f[N,8] | f[8,4] | f[5] : : !mismatch
      Gemm : f[N,8] | f[8,4] | f[1,N,4] : : !mismatch
      Gemm : f[N,8,1] | f[8,4] : : !mismatch
      Gemm@10 : f[N,8] | f[8,4] : : !malformed
      Gemm@6 : f[N,8] | f[8,4] | f[4] : broadcast=1 : f[N,4]
      Gemm@7 : f[N,8] | f[8,4] | f[4] : broadcast=1 : !malformed
      MatMul : f[N,8] | f[8,4] : : f[N,4]
      MatMul : f[N,T,8] | f[8,4] : : f[N,T,4]
      MatMul : f[N,1,T,8] | f[3,8,T] : : f[N,3,T,T]
      MatMul : f[8] | f[N,8,4] : : f[N,4]
      MatMul : f[N,8] | f[8] : : f[N]
      MatMul : f[8] | f[8] : : f[]
      MatMul : f[] | f[8] : : !mismatch
      MatMul : f[N,K] | f[8,4] : : f[N,4]
      MatMul : f[2,3] | f[4,5] : : !mismatch
      MatMul : f[2,2,3] | f[3,3,5] : : !mismatch
      Einsum : f[N,T,8] | f[8,4] : equation=bti,io->bto : f[N,T,4]
      Einsum : f[N,8] | f[8,4] : equation=ij, jk : f[N,4]
      Einsum : f[N,3,4] : equation=...ij->...ji : f[N,4,3]
      Einsum : f[2,5,N,8] | f[8,4] : equation=...x,xy->...y : f[2,5,N,4]
      Einsum : f[3,3] : equation=ii : f[]
      Einsum : f[2,3] | f[4,5] : equation=ij,jk->ik : !mismatch
      Einsum : f[2,3] : equation=ijk->i : !mismatch
      Einsum : f[2,3] : equation=ij,jk->i : !mismatch
      Einsum : f[2,3] : equation=ij->z : !malformed
      Einsum : f[2,3] : equation=ij->ii : !malformed
      Einsum : f[2,3] : equation=i.j : !malformed
      Einsum : f[2,3] : equation=......ij : !malformed
      Einsum : f[2,3] : equation=i->j->k : !malformed
      """)) func products(_ example: InferenceCase)
  { example.check() }

  @Test(
    "normalisations",
    arguments: InferenceCase.table(
      """
      BatchNormalization : f[N,8] | f[8] | f[8] | f[8] | f[8] : epsilon=0.001 : f[N,8]
      BatchNormalization : f[N,?] | f[8] | f[8] | f[8] | f[8] : training_mode=1 : f[N,8] | f[8] | f[8]
      BatchNormalization@13 : f[N,8] | f[8] | f[8] | f[8] | f[8] : : f[N,8] | f[8] | f[8] | f[8] | f[8]
      BatchNormalization@9 : f[N,8] | f[8] | f[8] | f[8] | f[8] : spatial=1 : !malformed
      BatchNormalization@7 : f[N,3,4] | f[3,4] | f[3,4] | f[3,4] | f[3,4] : spatial=0 : f[N,3,4]
      BatchNormalization@13 : f[N,8] | f[8] | f[8] | f[8] | f[8] : training_mode=0 : !malformed
      BatchNormalization : f[N,8] | f[8] | f[7] | f[8] | f[8] : : !mismatch
      BatchNormalization : f[N,8] | f[8,1] | f[8] | f[8] | f[8] : : !mismatch
      BatchNormalization : f[N,8] | f[8] | _ | f[8] | f[8] : : !malformed
      LayerNormalization : f[N,T,8] | f[8] | f[8] : : f[N,T,8] | f[N,T,1] | f[N,T,1]
      LayerNormalization : h[N,4,8] | h[4,8] : axis=1 : h[N,4,8] | f[N,1,1]
      LayerNormalization : f[N,8] | f[7] : : !mismatch
      LayerNormalization : f[N,8] | f[8] : axis=2 : !mismatch
      RMSNormalization@23 : f[N,8] | f[8] : : f[N,8]
      RMSNormalization@22 : f[N,8] | f[8] : : ?
      GroupNormalization : f[N,8,4] | f[8] | f[8] : num_groups=2 : f[N,8,4]
      GroupNormalization : f[N,8,4] | f[8] | f[8] : num_groups=3 : !mismatch
      GroupNormalization : f[N,8,4] | f[8] | f[8] : num_groups=0 : !mismatch
      InstanceNormalization : f[N,8,4] | f[8] | f[7] : : !mismatch
      """)) func normalisations(_ example: InferenceCase)
  { example.check() }

  @Test(
    "quantisation",
    arguments: InferenceCase.table(
      """
      QuantizeLinear : f[N,8] | f[] | c[] : : c[N,8]
      QuantizeLinear : f[N,8] | f[] : : u[N,8]
      QuantizeLinear : f[N,8] | f[] : output_dtype=3 : c[N,8]
      QuantizeLinear : f[N,8] | f[] : output_dtype=99 : !malformed
      QuantizeLinear : f[N,8] | f[] | c[] : output_dtype=2 : !mismatch
      DequantizeLinear : c[4,8] | f[8] | c[8] : axis=1 : f[4,8]
      DequantizeLinear : c[4,8] | f[4] | c[4] : axis=1 : !mismatch
      DequantizeLinear : c[4] | f[1] | c[] : : f[4]
      DequantizeLinear : c[4,8] | f[] | u[] : : !mismatch
      DequantizeLinear@23 : c[4,8] | f[] : output_dtype=10 : h[4,8]
      DynamicQuantizeLinear : f[N,8] : : u[N,8] | f[] | u[]
      MatMulInteger : u[N,8] | c[8,4] | u[] | c[] : : i[N,4]
      QLinearMatMul : u[N,8] | f[] | u[] | c[8,4] | f[] | c[] | f[] | u[] : : u[N,4]
      """)) func quantisation(_ example: InferenceCase)
  { example.check() }

  @Test(
    "shapes as values, constants and casts",
    arguments: InferenceCase.table(
      """
      Shape : f[N,8,?] : : l[3]{N,8,?}
      Shape : f[N,8,4] : start=-2 : l[2]{8,4}
      Shape : f[N,8,4] : start=1;end=-1 : l[1]{8}
      Shape : f[N,8,4] : start=9;end=-9223372036854775808 : l[0]{}
      Shape : f : : l[?]
      Size : f[4,8] : : l[]{32}
      Size : f[N,8] : : l[]{?}
      Size : f[4611686018427387904,4] : : !mismatch
      Identity : l[2]{N,3} : : l[2]{N,3}
      Constant : : value_int=7 : l[]{7}
      Constant : : value_ints=[1,-1] : l[2]{1,-1}
      Constant : : value_float=0.5 : f[]
      Constant : : value_string=x : s[]
      Constant : : : !malformed
      Constant : : value_int=7;value_float=0.5 : !malformed
      Constant@11 : : value_int=7 : !malformed
      ConstantOfShape : l[2]{N,3} : : f[N,3]
      ConstantOfShape : l[2] : : f[?,?]
      ConstantOfShape : l[2]{-1,3} : : !mismatch
      ConstantOfShape : l[2]{4611686018427387904,4} : : !limit
      ConstantOfShape : l[]{3} : : !mismatch
      EyeLike : f[N,3] : dtype=11 : d[N,3]
      EyeLike : f[N,3,3] : : !mismatch
      Range : l[]{2} | l[]{9} | l[]{3} : : l[3]{2,5,8}
      Range : l[]{3} | l[]{0} | l[]{-1} : : l[3]{3,2,1}
      Range : l[]{3} | l[]{0} | l[]{1} : : l[0]{}
      Range : l[]{0} | l[]{N} | l[]{1} : : l[N]
      Range : l[]{0} | l[]{5} | l[]{0} : : !mismatch
      Range : l[]{-9223372036854775808} | l[]{9223372036854775807} | l[]{1} : : l[?]
      Range : l[]{0} | l[]{9223372036854775807} | l[]{1} : : l[9223372036854775807]
      Range : f[] | f[] | f[] : : f[?]
      Cast : l[2]{N,-1} : to=6 : i[2]{N,-1}
      Cast : l[2]{N,300} : to=2 : u[2]{N,?}
      Cast : l[2]{0,5} : to=9 : b[2]{0,1}
      Cast : l[2]{N,-1} : to=1 : f[2]
      Cast : f[N] : to=0 : !malformed
      Cast : f[N] : to=99999999999 : !malformed
      Cast : f[N] : : !malformed
      Cast@5 : f[N] : to=INT64 : l[N]
      Cast@13 : f[N] : to=7;saturate=0 : !malformed
      CastLike : l[1]{4} | i[] : : i[1]{4}
      """)) func values(_ example: InferenceCase)
  { example.check() }
}
