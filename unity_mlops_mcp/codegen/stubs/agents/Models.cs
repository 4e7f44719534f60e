// The type of a trained model, which belongs to the inference package of the ML-Agents version.
#if MLAGENTS_4_0_OR_NEWER
namespace Unity.InferenceEngine
{
    public class ModelAsset : UnityEngine.ScriptableObject { }
}
#elif MLAGENTS_3_0_OR_NEWER
namespace Unity.Sentis
{
    public class ModelAsset : UnityEngine.ScriptableObject { }
}
#else
namespace Unity.Barracuda
{
    public class NNModel : UnityEngine.ScriptableObject { }
}
#endif
