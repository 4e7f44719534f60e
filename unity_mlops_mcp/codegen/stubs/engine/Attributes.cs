// UnityEngine's attributes.
using System;

namespace UnityEngine
{
    [AttributeUsage(AttributeTargets.Field)] public sealed class SerializeField : Attribute { }
    [AttributeUsage(AttributeTargets.Field)] public sealed class SerializeReference : Attribute { }
    [AttributeUsage(AttributeTargets.Field)] public sealed class HideInInspector : Attribute { }
    [AttributeUsage(AttributeTargets.Field, Inherited = true, AllowMultiple = true)] public abstract class PropertyAttribute : Attribute { public int order { get; set; } }
    [AttributeUsage(AttributeTargets.Field, Inherited = true, AllowMultiple = true)] public class HeaderAttribute : PropertyAttribute
    {
        public readonly string header;
        public HeaderAttribute(string header) { this.header = header; }
    }
    [AttributeUsage(AttributeTargets.Field, Inherited = true, AllowMultiple = true)] public class SpaceAttribute : PropertyAttribute
    {
        public readonly float height;
        public SpaceAttribute() : this(8f) { }
        public SpaceAttribute(float height) { this.height = height; }
    }
    [AttributeUsage(AttributeTargets.Field, Inherited = true)] public class TooltipAttribute : PropertyAttribute
    {
        public readonly string tooltip;
        public TooltipAttribute(string tooltip) { this.tooltip = tooltip; }
    }
    [AttributeUsage(AttributeTargets.Field, Inherited = true)] public sealed class RangeAttribute : PropertyAttribute
    {
        public readonly float min;
        public readonly float max;
        public RangeAttribute(float min, float max) { this.min = min; this.max = max; }
    }
    [AttributeUsage(AttributeTargets.Field, Inherited = true)] public sealed class MinAttribute : PropertyAttribute
    {
        public readonly float min;
        public MinAttribute(float min) { this.min = min; }
    }
    [AttributeUsage(AttributeTargets.Field, Inherited = true)] public sealed class MultilineAttribute : PropertyAttribute { }
    [AttributeUsage(AttributeTargets.Field, Inherited = true)] public sealed class TextAreaAttribute : PropertyAttribute { }
    [AttributeUsage(AttributeTargets.Field, Inherited = true)] public sealed class ColorUsageAttribute : PropertyAttribute { public ColorUsageAttribute(bool showAlpha) { } }

    [AttributeUsage(AttributeTargets.Class, AllowMultiple = true)] public sealed class RequireComponent : Attribute
    {
        public Type m_Type0;
        public Type m_Type1;
        public Type m_Type2;
        public RequireComponent(Type requiredComponent) { m_Type0 = requiredComponent; }
        public RequireComponent(Type requiredComponent, Type requiredComponent2) : this(requiredComponent) { m_Type1 = requiredComponent2; }
        public RequireComponent(Type requiredComponent, Type requiredComponent2, Type requiredComponent3)
            : this(requiredComponent, requiredComponent2) { m_Type2 = requiredComponent3; }
    }
    [AttributeUsage(AttributeTargets.Class)] public class DefaultExecutionOrder : Attribute
    {
        public DefaultExecutionOrder(int order) { this.order = order; }
        public int order { get; }
    }
    [AttributeUsage(AttributeTargets.Class, Inherited = false)] public sealed class DisallowMultipleComponent : Attribute { }
    [AttributeUsage(AttributeTargets.Class)] public sealed class AddComponentMenu : Attribute
    {
        public AddComponentMenu(string menuName) { componentMenu = menuName; }
        public AddComponentMenu(string menuName, int order) : this(menuName) { }
        public string componentMenu { get; }
    }
    [AttributeUsage(AttributeTargets.Class)] public sealed class CreateAssetMenuAttribute : Attribute
    {
        public string menuName { get; set; }
        public string fileName { get; set; }
        public int order { get; set; }
    }
    [AttributeUsage(AttributeTargets.Class)] public sealed class ExecuteInEditMode : Attribute { }
    [AttributeUsage(AttributeTargets.Class)] public sealed class ExecuteAlways : Attribute { }
    [AttributeUsage(AttributeTargets.Class)] public sealed class SelectionBaseAttribute : Attribute { }
    [AttributeUsage(AttributeTargets.Class)] public sealed class HelpURLAttribute : Attribute { public HelpURLAttribute(string url) { } }
    [AttributeUsage(AttributeTargets.Method)] public sealed class ContextMenu : Attribute { public ContextMenu(string itemName) { } }
    [AttributeUsage(AttributeTargets.Field)] public sealed class ContextMenuItemAttribute : PropertyAttribute { public ContextMenuItemAttribute(string name, string function) { } }
    [AttributeUsage(AttributeTargets.Method)] public sealed class RuntimeInitializeOnLoadMethodAttribute : Attribute
    {
        public RuntimeInitializeOnLoadMethodAttribute() { }
        public RuntimeInitializeOnLoadMethodAttribute(RuntimeInitializeLoadType loadType) { }
    }
    public enum RuntimeInitializeLoadType { AfterSceneLoad, BeforeSceneLoad, AfterAssembliesLoaded, BeforeSplashScreen, SubsystemRegistration }
}

namespace UnityEngine.Scripting
{
    [AttributeUsage(AttributeTargets.All)] public class PreserveAttribute : Attribute { }
}

namespace UnityEngine.Serialization
{
    [AttributeUsage(AttributeTargets.Field, AllowMultiple = true, Inherited = false)] public class FormerlySerializedAsAttribute : Attribute
    {
        public FormerlySerializedAsAttribute(string oldName) { this.oldName = oldName; }
        public string oldName { get; }
    }
}
