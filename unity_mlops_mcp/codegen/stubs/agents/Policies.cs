// Unity.MLAgents.Policies and the inspector's parameters of a behaviour.
using System;
using Unity.MLAgents.Actuators;
using UnityEngine;
#if MLAGENTS_4_0_OR_NEWER
using Model = Unity.InferenceEngine.ModelAsset;
#elif MLAGENTS_3_0_OR_NEWER
using Model = Unity.Sentis.ModelAsset;
#else
using Model = Unity.Barracuda.NNModel;
#endif

namespace Unity.MLAgents.Policies
{
    public enum BehaviorType { Default, HeuristicOnly, InferenceOnly }
    public enum InferenceDevice { Default = 0, GPU = 1, Burst = 2, CPU = 3 }
    public enum ObservableAttributeOptions { Ignore, ExcludeInherited, ExamineAll }

    [Serializable]
    public class BrainParameters
    {
        public int VectorObservationSize = 1;
        public int NumStackedVectorObservations = 1;
        [SerializeField] ActionSpec m_ActionSpec = new ActionSpec(0, null);
        public ActionSpec ActionSpec { get { return m_ActionSpec; } set { m_ActionSpec = value; } }
    }

    public class BehaviorParameters : MonoBehaviour
    {
        [SerializeField] BrainParameters m_BrainParameters = new BrainParameters();
        [SerializeField] Model m_Model;
        [SerializeField] InferenceDevice m_InferenceDevice;
        [SerializeField] BehaviorType m_BehaviorType;
        [SerializeField] string m_BehaviorName = "My Behavior";
        [SerializeField] bool m_UseChildSensors = true;
        [SerializeField] bool m_UseChildActuators = true;
        [SerializeField] ObservableAttributeOptions m_ObservableAttributeHandling;
        public int TeamId;

        public BrainParameters BrainParameters { get { return m_BrainParameters; } internal set { m_BrainParameters = value; } }
        public Model Model { get { return m_Model; } set { m_Model = value; } }
        public InferenceDevice InferenceDevice { get { return m_InferenceDevice; } set { m_InferenceDevice = value; } }
        public BehaviorType BehaviorType { get { return m_BehaviorType; } set { m_BehaviorType = value; } }
        public string BehaviorName { get { return m_BehaviorName; } set { m_BehaviorName = value; } }
        public bool UseChildSensors { get { return m_UseChildSensors; } set { m_UseChildSensors = value; } }
        public bool UseChildActuators { get { return m_UseChildActuators; } set { m_UseChildActuators = value; } }
        public ObservableAttributeOptions ObservableAttributeHandling
        {
            get { return m_ObservableAttributeHandling; }
            set { m_ObservableAttributeHandling = value; }
        }
#if MLAGENTS_2_3_OR_NEWER
        public bool DeterministicInference;
#endif
        public string FullyQualifiedBehaviorName => m_BehaviorName + "?team=" + TeamId;
        public bool IsInHeuristicMode() => BehaviorType == BehaviorType.HeuristicOnly;
    }
}
