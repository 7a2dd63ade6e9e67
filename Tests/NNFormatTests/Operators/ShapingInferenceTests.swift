import Testing

/// Operators that rearrange, join, divide and pick.
@Suite struct ShapingInferenceTests {
  @Test(
    "flatten, reshape, squeeze, unsqueeze",
    arguments: InferenceCase.table(
      """
      Flatten : f[N,8,8] : : f[N,64]
      Flatten : f[N,T,4] : : f[N,?]
      Flatten : f[N,T] : : f[N,T]
      Flatten : f[N,8,8] : axis=0 : f[1,?]
      Flatten : f[N,8,8] : axis=3 : f[?,1]
      Flatten : f[N,8,8] : axis=-1 : f[?,8]
      Flatten : f[N,8,8] : axis=4 : !mismatch
      Flatten : f : : f[?,?]
      Flatten : f[2,4611686018427387904,4] : : !mismatch
      Reshape : f[N,8,8] | l[2]{-1,64} : : f[N,64]
      Reshape : f[N,8,8] | l[2]{0,-1} : : f[N,64]
      Reshape : f[?,8,8] | l[2]{0,-1} : : f[?,64]
      Reshape : f[N,8,8] | l[2]{N,-1} : : f[N,64]
      Reshape : f[N,8,8] | l[2]{?,64} : : f[N,64]
      Reshape : f[N,T,4] | l[2]{-1,4} : : f[?,4]
      Reshape : f[N,T,4] | l[3]{0,-1,2} : : f[N,?,2]
      Reshape : f[N,T,4] | l[3]{N,T,-1} : : f[N,T,4]
      Reshape : f[N,6] | l[2]{-1,4} : : f[?,4]
      Reshape : f[2,3,4] | l[2]{6,-1} : : f[6,4]
      Reshape : f[2,3,4] | l[2]{5,-1} : : !mismatch
      Reshape : f[2,3] | l[2]{3,3} : : !mismatch
      Reshape : f[2,3] | l[2]{-1,-1} : : !mismatch
      Reshape : f[2,3] | l[1]{-2} : : !mismatch
      Reshape : f[2,3] | l[3]{2,3,0} : : !mismatch
      Reshape : f[0,3] | l[2]{0,5} : allowzero=1 : f[0,5]
      Reshape : f[0,3] | l[2]{0,-1} : allowzero=1 : !mismatch
      Reshape : f[2,3] | l[2]{0,3} : allowzero=1 : !mismatch
      Reshape@13 : f[2,3] | l[2]{0,3} : allowzero=1 : !malformed
      Reshape : f[N,2] | l[2]{4611686018427387904,4} : : !mismatch
      Reshape : f | l[2]{4611686018427387904,4} : : !limit
      Reshape : f | l[2]{0,-1} : : f[?,?]
      Reshape : f[2,3] | l[4] : : f[?,?,?,?]
      Reshape : f[2,3] | l : : f
      Reshape : f[2,3] | l[] : : !mismatch
      Reshape : l[]{N} | l[1]{-1} : : l[1]{N}
      Reshape@4 : f[N,8,8] : shape=[-1,64] : f[N,64]
      Squeeze@11 : f[N,1,8,1] : axes=[1,-1] : f[N,8]
      Squeeze@13 : f[N,1,8] | l[1]{1} : : f[N,8]
      Squeeze@13 : f[N,1,8] | l[1] : : f[?,?]
      Squeeze@13 : f[N,1,8] : axes=[1] : !malformed
      Squeeze : f[N,1,8] : : f
      Squeeze : f[2,1,8,1] : : f[2,8]
      Squeeze : f[2,8] | l[1]{1} : : !mismatch
      Squeeze : f[1,1] | l[2]{0,-2} : : !mismatch
      Squeeze : l[1]{N} | l[1]{0} : : l[]{N}
      Unsqueeze@11 : f[N,8] : axes=[0,-1] : f[1,N,8,1]
      Unsqueeze@11 : f[N,8] : : !malformed
      Unsqueeze : f[N,8] | l[1]{1} : : f[N,1,8]
      Unsqueeze : f[N,8] | l[2]{1,1} : : !mismatch
      Unsqueeze : f[N,8] | l[1]{3} : : !mismatch
      Unsqueeze : l[]{N} | l[1]{0} : : l[1]{N}
      """)) func reshaping(_ example: InferenceCase)
  { example.check() }

  @Test(
    "transpose, expand, tile, concat, split, pad",
    arguments: InferenceCase.table(
      """
      Transpose : f[N,3,4] : : f[4,3,N]
      Transpose : f[N,3,4] : perm=[0,2,1] : f[N,4,3]
      Transpose : f[N,3] : perm=[-1,0] : !mismatch
      Transpose : f[N,3] : perm=[0,0] : !mismatch
      Transpose : f[N,3] : perm=[0,1,2] : !mismatch
      Transpose : f[N,3] : perm=1 : !malformed
      Expand : f[N,1] | l[2]{1,4} : : f[N,4]
      Expand : f[4] | l[3]{2,N,1} : : f[2,N,4]
      Expand : f[3] | l[1]{4} : : !mismatch
      Expand : f[3] | l[1]{-1} : : !mismatch
      Expand : f[3] | l[2] : : f[?,3]
      Tile : f[N,3] | l[2]{1,4} : : f[N,12]
      Tile : f[N,3] | l[2] : : f[?,?]
      Tile : f[N,3] | l[1]{1} : : !mismatch
      Tile : f[2,4611686018427387904] | l[2]{1,4} : : !mismatch
      Concat : f[N,3] | f[N,5] : axis=-1 : f[N,8]
      Concat : f[N,3] | f[?,5] : axis=1 : f[N,8]
      Concat : f[N,3] | f[2,T] : axis=1 : f[2,?]
      Concat : f[N,3] | f : axis=1 : f[N,?]
      Concat : f[2,3] | f[3,3] : axis=1 : !mismatch
      Concat : f[2,3] | f[2] : axis=0 : !mismatch
      Concat : f[2,3] | f[2,3] : : !malformed
      Concat : f[2,3] | f[2,3] : axis=99 : !mismatch
      Concat : f[9223372036854775807] | f[1] : axis=0 : !mismatch
      Concat : l[1]{N} | l[2]{8,-1} : axis=0 : l[3]{N,8,-1}
      Concat : l[1]{N} | l[2] : axis=0 : l[3]{N,?,?}
      Split@11 : f[N,8] : axis=1;split=[3,5] : f[N,3] | f[N,5]
      Split@13 : f[N,8] | l[2]{3,5} : axis=1 : f[N,3] | f[N,5]
      Split@13 : f[N,8] : axis=1 : f[N,4] | f[N,4]
      Split@17 : f[N,7] : axis=1;split=[3,4] : !malformed
      Split@18 : f[N,7] : axis=1;num_outputs=2 : f[N,4] | f[N,3]
      Split@18 : f[N,7] : axis=1;num_outputs=3 : !mismatch
      Split@18 : f[N,8] | l[2] : axis=1 : f[N,?] | f[N,?]
      Split : f[N,8] | l[1]{7} : axis=1 : !mismatch
      Split : f[N,8] | l[1]{-8} : axis=1 : !mismatch
      Split : l[3]{N,8,4} | l[2]{1,2} : : l[1]{N} | l[2]{8,4}
      Pad@2 : f[N,8] : pads=[0,1,0,2] : f[N,11]
      Pad@11 : f[N,8] | l[4]{0,1,0,2} : mode=constant : f[N,11]
      Pad@18 : f[N,8] | l[2]{1,2} | _ | l[1]{-1} : : f[N,11]
      Pad@18 : f[N,8] | l[4]{0,-5,0,-4} : : !mismatch
      Pad@18 : f[N,8] | l[3]{0,0,0} : : !mismatch
      Pad@18 : f[N,8] | l[4] : : f[?,?]
      Trilu : f[N,4,4] : upper=0 : f[N,4,4]
      Trilu : f[4] : : !mismatch
      """)) func joining(_ example: InferenceCase)
  { example.check() }

  @Test(
    "slice and gather",
    arguments: InferenceCase.table(
      """
      Slice@9 : f[N,8] : starts=[1];ends=[-1];axes=[1] : f[N,6]
      Slice : f[N,8] | l[1]{0} | l[1]{9223372036854775807} | l[1]{0} : : f[N,8]
      Slice : f[N,8] | l[1]{1} | l[1]{9223372036854775807} | l[1]{0} : : f[?,8]
      Slice : f[N,8] | l[2]{0,2} | l[2]{2147483647,99} : : f[N,6]
      Slice : f[8] | l[1]{-1} | l[1]{-9223372036854775808} | l[1]{0} | l[1]{-2} : : f[4]
      Slice : f[8] | l[1]{-9223372036854775808} | l[1]{9223372036854775807} | _ | l[1]{9223372036854775807} : : f[1]
      Slice : f[8] | l[1]{7} | l[1]{-9223372036854775808} | _ | l[1]{-9223372036854775808} : : f[1]
      Slice : f[8] | l[1]{5} | l[1]{2} : : f[0]
      Slice : f[0] | l[1]{-1} | l[1]{-9} | l[1]{0} | l[1]{-1} : : f[0]
      Slice : f[8] | l[1]{0} | l[1]{4} | l[1]{0} | l[1]{0} : : !mismatch
      Slice : f[8] | l[1]{0} | l[1]{4} | l[1]{1} : : !mismatch
      Slice : f[8] | l[2]{0,0} | l[1]{4} : : !mismatch
      Slice : f[8,8] | l[1] | l[1] | l[1]{1} : : f[8,?]
      Slice : f[8,8] | l[1] | l[1] | l[1] : : f[?,?]
      Slice : l[3]{N,8,4} | l[1]{1} | l[1]{3} : : l[2]{8,4}
      Slice : l[3]{N,8,4} | l[1]{-1} | l[1]{-9} | l[1]{0} | l[1]{-1} : : l[3]{4,8,N}
      Gather : f[100,16] | l[N,5] : : f[N,5,16]
      Gather : f[N,8] | l[] : axis=1 : f[N]
      Gather : f[N,8] | l[] : axis=2 : !mismatch
      Gather : l[3]{N,8,4} | l[]{0} : : l[]{N}
      Gather : l[3]{N,8,4} | l[2]{-1,0} : : l[2]{4,N}
      Gather : l[3]{N,8,4} | l[]{3} : : !mismatch
      GatherElements : f[N,8] | l[N,2] : axis=1 : f[N,2]
      GatherElements : f[N,8] | l[2] : axis=1 : !mismatch
      GatherND : f[2,3,4] | l[5,2] : : f[5,4]
      GatherND : f[N,3,4] | l[N,1] : batch_dims=1 : f[N,4]
      GatherND : f[2,3] | l[5,3] : : !mismatch
      GatherND : f[2,3] | l[5,1] : batch_dims=-1 : !mismatch
      ScatterElements : f[N,8] | l[N,2] | f[N,2] : axis=7 : !mismatch
      ScatterND : f[N,8] | l[4,1] | f[4,8] : reduction=add : f[N,8]
      OneHot : l[N] | l[]{10} | f[2] : : f[N,10]
      OneHot : l[N] | l[1] | f[2] : axis=0 : f[?,N]
      OneHot : l[N] | l[]{-1} | f[2] : : !mismatch
      TopK : f[N,8] | l[1]{3} : : f[N,3] | l[N,3]
      TopK@9 : f[N,8] : k=3 : f[N,3] | l[N,3]
      CumSum : f[N,8] | l[] : reverse=1 : f[N,8]
      """)) func picking(_ example: InferenceCase)
  { example.check() }
}
